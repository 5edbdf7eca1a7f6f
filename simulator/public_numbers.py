"""The numbers of public addresses: an address or prefix that has come up in, the same with its numbers out."""

from ipaddress import IPv4Network, IPv6Network
from typing import Final

import msgspec

from simulator.ids import PUBLIC_IP, PUBLIC_PREFIX
from simulator.ranges import parsed
from simulator.shapes import prefix_size
from simulator.store import Store, Stored
from simulator.wire import Body, members, text

_IPV4: Final = IPv4Network("198.18.0.0/15")
_IPV6: Final = IPv6Network("2001:db8::/108")


class PublicNumbers:
    """Which numbers one simulator has given: of the ranges for benchmarks and for documentation."""

    def __init__(self) -> None:
        self._given = 0

    def give(self, store: Store, key: str, stored: Stored) -> None:
        """A resource that has come up in; if it is a public address or prefix without numbers, it has them now."""
        type_key = stored.type.lower()
        content = stored.content
        properties = members(content.get("properties"))
        if type_key == PUBLIC_IP and "ipAddress" not in properties:
            if properties.get("publicIPAllocationMethod") != "Static":
                return
            properties["ipAddress"] = self._next(properties, 1)
        elif type_key == PUBLIC_PREFIX and "ipPrefix" not in properties:
            properties["ipPrefix"] = f"{self._next(properties, prefix_size(properties))}/{properties['prefixLength']}"
        else:
            return
        store.put(key, msgspec.structs.replace(stored, body=msgspec.json.encode(content)))

    def keep(self, properties: Body) -> None:
        """The properties of what has been loaded in; the numbers that it has are not given again."""
        for member in ("ipAddress", "ipPrefix"):
            found = parsed(text(properties.get(member)))
            for ours in (_IPV4, _IPV6):
                first, last = int(ours[0]), int(ours[-1])
                if found is not None and found.version == ours.version and first <= found.first <= found.last <= last:
                    self._given = max(self._given, found.last - first + 1)

    def _next(self, properties: Body, size: int) -> str:
        """How many addresses in, the first of a free block out."""
        start = -(-self._given // size) * size
        self._given = start + size
        if properties.get("publicIPAddressVersion") == "IPv6":
            return str(_IPV6[start])
        return str(_IPV4[start % 2**17])
