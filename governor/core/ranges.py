"""Address ranges: prefixes as texts in, whether they overlap or hold an address out. A service tag is no range."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network
# What never stands on the internet: RFC 1918, RFC 6598, link-local, and their like of IPv6.
_PRIVATE: Final = (
    *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
    *("fc00::/7", "fe80::/10"),
)


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


def single(address: str) -> str:
    """An address in, the range that holds nothing else out; a range, or what is none, stays."""
    found = _address(address)
    return address if found is None else f"{address}/{found.max_prefixlen}"


def is_private(prefix: str) -> bool:
    """A prefix in, whether all of it is private out; a service tag is public."""
    return within(prefix, _PRIVATE)


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
