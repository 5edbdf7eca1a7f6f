"""What a load balancer does for the outbound traffic of a machine behind it: an ip configuration in, an Outbound out.

Outbound rules come first; a load-balancing rule with a public frontend gives SNAT implicitly unless it says
disableOutboundSnat (facts/azure.md 2.3, seeds A); a Standard load balancer without either closes default outbound
access to its pool (seeds C).
"""

from collections.abc import Iterator

from msgspec import Struct

from governor.core import facts, ids
from governor.core.estate import ABSENT, Estate


class Outbound(Struct, frozen=True):
    """rule: the load balancer whose rule carries the traffic out, or None. missing: ids of balancers not read."""

    rule: str | None = None
    explicit: bool = False
    holders: tuple[str, ...] = ()
    closes_default: bool = False
    missing: tuple[str, ...] = ()


def outbound(configuration: facts.IpConfiguration, estate: Estate) -> Outbound:
    """An ip configuration of a machine in, what the load balancers of its pools do for its outbound traffic out."""
    implicit: Outbound | None = None
    closes = False
    pools = configuration.properties.load_balancer_backend_address_pools or ()
    for pool in sorted(pools, key=lambda pool: ids.key(pool.id)):
        balancer_id = ids.parent(pool.id)
        balancer = estate.find(balancer_id, facts.LoadBalancer)
        if balancer is None or balancer is ABSENT:
            return Outbound(missing=(balancer_id,))
        holders = tuple(_frontend_addresses(balancer, _outbound_frontends(balancer, pool.id)))
        if holders:
            return Outbound(balancer.id, explicit=True, holders=holders)
        holders = tuple(_frontend_addresses(balancer, _snat_frontends(balancer, pool.id)))
        if holders and implicit is None:
            implicit = Outbound(balancer.id, holders=holders)
        closes = closes or (balancer.sku.name or "").casefold() == "standard"
    return implicit or Outbound(closes_default=closes)


def _outbound_frontends(balancer: facts.LoadBalancer, pool: str) -> Iterator[str]:
    for rule in balancer.properties.outbound_rules or ():
        if rule.properties.backend_address_pool and ids.same(rule.properties.backend_address_pool.id, pool):
            yield from (ids.key(ref.id) for ref in rule.properties.frontend_ip_configurations or ())


def _snat_frontends(balancer: facts.LoadBalancer, pool: str) -> Iterator[str]:
    for rule in balancer.properties.load_balancing_rules or ():
        properties = rule.properties
        one = (properties.backend_address_pool,) if properties.backend_address_pool else ()
        pools = {ids.key(ref.id) for ref in (*one, *(properties.backend_address_pools or ()))}
        if ids.key(pool) in pools and not properties.disable_outbound_snat and properties.frontend_ip_configuration:
            yield ids.key(properties.frontend_ip_configuration.id)


def _frontend_addresses(balancer: facts.LoadBalancer, frontends: Iterator[str]) -> Iterator[str]:
    wanted = set(frontends)
    for frontend in balancer.properties.frontend_ip_configurations or ():
        if ids.key(frontend.id) in wanted:
            for holder in (frontend.properties.public_ip_address, frontend.properties.public_ip_prefix):
                if holder is not None:
                    yield holder.id
