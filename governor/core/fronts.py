"""Application gateways in front of subnets: a network in; its gateways, how they listen and whom they lead to, out."""

from typing import Final

from msgspec import Struct

from governor.core import facts, ids
from governor.core.estate import NOT_READ, Estate, list_of
from governor.core.ground import configurations, lodgers
from governor.core.ingress_facts import ApplicationGateway, Listener
from governor.core.ranges import holds

_SHOWN: Final = 3
_SEGMENT: Final = "/applicationgateways/"


class Front(Struct, frozen=True):
    """An application gateway that was read. subnet: the key of its own. behind: keys of subnets of its network that it

    leads to. elsewhere: backends of which it is not known here where they are.
    """

    gateway: ApplicationGateway
    subnet: str
    behind: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()

    @property
    def public_listeners(self) -> tuple[Listener, ...]:
        """Those for web traffic that the internet reaches."""
        return self._public(self.gateway.properties.http_listeners)

    @property
    def is_public(self) -> bool:
        return bool(self.public_listeners or self._public(self.gateway.properties.listeners))

    def _public(self, listeners: tuple[Listener, ...] | None) -> tuple[Listener, ...]:
        frontends = self.gateway.properties.frontend_ip_configurations or ()
        public = {ids.key(one.id) for one in frontends if one.properties.public_ip_address}
        heard = ((one, one.properties.frontend_ip_configuration) for one in listeners or ())
        return tuple(one for one, frontend in heard if frontend is not None and ids.key(frontend.id) in public)


class Fronts(Struct, frozen=True):
    """The gateways of a network. unread: those that live there and were not read, with the key of their subnet and why.

    missing: lists that must be read to know them.
    """

    known: tuple[Front, ...] = ()
    unread: tuple[tuple[str, str, str], ...] = ()
    missing: tuple[str, ...] = ()


def gateways_in(network: facts.VirtualNetwork) -> dict[str, tuple[str, str]]:
    """A network in; by key the ids of the application gateways that live in it, with the key of their subnet, out."""
    return {
        ids.key(one): (one, ids.key(subnet.id))
        for subnet in network.properties.subnets or ()
        if any(_SEGMENT in ids.key(ref.id) for ref in configurations(subnet))  # seldom, and parsing all ids is slow
        for one in lodgers(subnet)
        if ids.kind(one) == ids.APPLICATION_GATEWAY
    }


def fronts(network: facts.VirtualNetwork, estate: Estate) -> Fronts:
    """A network in, its application gateways out."""
    known: list[Front] = []
    unread: list[tuple[str, str, str]] = []
    missing: dict[str, None] = {}
    for _, (gateway, subnet) in sorted(gateways_in(network).items()):
        fact = estate.find(gateway, ApplicationGateway)
        if isinstance(fact, ApplicationGateway):
            behind, elsewhere = _backends(fact, network)
            known.append(Front(fact, subnet, behind, elsewhere))
            continue
        name = list_of("applicationGateways", f"/subscriptions/{ids.parse(gateway).subscription}")
        if estate.has_listed(name):
            why = estate.why(ids.key(gateway))
            unread.append((gateway, subnet, "no list holds it" if why == NOT_READ else why))
        else:
            missing[name] = None
            unread.append((gateway, subnet, estate.why(name)))
    return Fronts(tuple(known), tuple(unread), tuple(missing))


def _backends(gateway: ApplicationGateway, network: facts.VirtualNetwork) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A gateway and its network in; keys of the subnets it leads to, and backends that are in none of them, out."""
    subnets = network.properties.subnets or ()
    lodging = {ids.key(ref.id): ids.key(s.id) for s in subnets for ref in s.properties.ip_configurations or ()}
    behind: dict[str, None] = {}
    elsewhere: dict[str, None] = {}
    for pool in gateway.properties.backend_address_pools or ():
        for ref in pool.properties.backend_ip_configurations or ():
            if (found := lodging.get(ids.key(ref.id))) is not None:
                behind[found] = None
            else:
                elsewhere[ids.name(ids.parent(ref.id))] = None
        for one in pool.properties.backend_addresses or ():
            text = one.ip_address or one.fqdn or ""
            found = next((ids.key(subnet.id) for subnet in subnets if holds(subnet.prefixes, text)), None)
            if found is not None:
                behind[found] = None
            elif text:
                elsewhere[text] = None
    return tuple(behind), tuple(elsewhere)


def few(names: tuple[str, ...]) -> str:
    """Names in, the first of them and how many more there are out."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
