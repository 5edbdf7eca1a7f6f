"""Address ranges: prefixes as texts in, whether they overlap or hold an address out. A service tag is no range."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


@lru_cache(maxsize=8192)
def parsed(prefix: str) -> Network | None:
    """A prefix in, the range out; None for a service tag, or what is no range."""
    try:
        return ip_network(prefix, strict=False)
    except ValueError:
        return None


def overlapping(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, str] | None:
    """Two address spaces in, the first pair of prefixes that overlap out."""
    for one in ours:
        for other in theirs:
            a, b = parsed(one), parsed(other)
            if a is not None and b is not None and a.version == b.version and a.overlaps(b):
                return one, other
    return None


def holds(space: tuple[str, ...], address: str) -> bool:
    """An address space and an address in, whether it lies in the space out."""
    found = _address(address)
    ranges = (parsed(prefix) for prefix in space)
    return found is not None and any(r is not None and r.version == found.version and found in r for r in ranges)


def within(prefix: str, space: tuple[str, ...]) -> bool:
    """A prefix and an address space in, whether one prefix of the space holds all of it out."""
    inner = parsed(prefix)
    outer = (parsed(one) for one in space)
    return inner is not None and any(_inside(inner, one) for one in outer if one is not None)


def _inside(inner: Network, outer: Network) -> bool:
    match inner, outer:
        case (IPv4Network(), IPv4Network()):
            return inner.subnet_of(outer)
        case (IPv6Network(), IPv6Network()):
            return inner.subnet_of(outer)
        case _:
            return False


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
