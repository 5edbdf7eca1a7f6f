"""The numbers of public addresses: an address or prefix that has come up in, the same with its numbers out."""

from ipaddress import IPv4Address, IPv6Address

import msgspec

from simulator.ids import PUBLIC_IP, PUBLIC_PREFIX
from simulator.shapes import prefix_size
from simulator.store import Store, Stored
from simulator.wire import Body, members


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

    def _next(self, properties: Body, size: int) -> str:
        """How many addresses in, the first of a free block out."""
        start = -(-self._given // size) * size
        self._given = start + size
        if properties.get("publicIPAddressVersion") == "IPv6":
            return str(IPv6Address("2001:db8::") + start)
        return str(IPv4Address("198.18.0.0") + start % 2**17)
