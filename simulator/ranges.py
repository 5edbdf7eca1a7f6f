"""Address ranges: the text of a prefix in, its bounds as numbers out, and how ranges lie to each other."""

from functools import lru_cache
from ipaddress import ip_network
from typing import NamedTuple


class Range(NamedTuple):
    """A prefix as numbers, in an order that puts overlapping ranges beside each other."""

    version: int
    first: int
    last: int
    length: int

    def lies_in(self, outer: "Range") -> bool:
        return self.version == outer.version and outer.first <= self.first and self.last <= outer.last

    def overlaps(self, following: "Range") -> bool:
        """Whether a range that comes later in order begins before this one ends."""
        return self.version == following.version and following.first <= self.last


@lru_cache(maxsize=65_536)
def parsed(prefix: str) -> Range | None:
    """`10.0.0.0/24` in, its Range out; None for what is no prefix or has bits beyond its mask."""
    try:
        network = ip_network(prefix)
    except ValueError:
        return None
    return Range(network.version, int(network.network_address), int(network.broadcast_address), network.prefixlen)
