"""What the nodes of a cluster have to reach, as the cluster says itself: the list of Azure in, words for people out.

By category, since that is how a firewall's owner thinks of it (facts/azure.md 4.4).
"""

from collections.abc import Iterator
from typing import Final

from msgspec import field

from governor.core.facts import Fact

_CATEGORIES: Final = 4
_HOSTS: Final = 3


class EndpointDetail(Fact, frozen=True):
    port: int | None = None
    protocol: str | None = None


class Endpoint(Fact, frozen=True):
    domain_name: str | None = None
    details: tuple[EndpointDetail, ...] | None = field(name="endpointDetails", default=None)

    def __str__(self) -> str:
        ports = [f"{one.port or '?'} {one.protocol or ''}".rstrip() for one in self.details or ()]
        return f"{self.domain_name or '?'} ({', '.join(ports)})" if ports else self.domain_name or "?"


class Category(Fact, frozen=True):
    category: str = ""
    endpoints: tuple[Endpoint, ...] | None = None


class OutboundDependencies(Fact, frozen=True):
    """Everything that a cluster has to reach."""

    id: str
    value: tuple[Category, ...] = ()


def rows(found: OutboundDependencies) -> Iterator[tuple[str, str]]:
    """What a cluster has to reach in; by category, all hosts with their ports out."""
    for one in found.value:
        yield one.category, ", ".join(map(str, one.endpoints or ())) or "nothing"


def in_short(found: OutboundDependencies) -> str:
    """What a cluster has to reach in, the first of it by category, and how much more there is, out."""
    said: list[str] = []
    for one in found.value[:_CATEGORIES]:
        hosts = [each.domain_name or "?" for each in one.endpoints or ()]
        more = f" and {len(hosts) - _HOSTS} more" if len(hosts) > _HOSTS else ""
        said.append(f"{one.category}: {', '.join(hosts[:_HOSTS]) or 'nothing'}{more}")
    if len(found.value) > _CATEGORIES:
        said.append(f"{len(found.value) - _CATEGORIES} more categories")
    return "; ".join(said)
