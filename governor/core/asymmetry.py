"""Who is reached from the internet in a subnet that leaves by a hub (`route-asymmetry`): its Verdict out.

Whoever has a public address, or is behind a public frontend, is asked there; his replies would leave by the firewall,
which never saw the question, and are lost (safety.md 6). It is found before the route is attached.
"""

from collections.abc import Iterator
from typing import Final

from governor.core import ids
from governor.core.address_facts import ScaleSet
from governor.core.addresses import Places, places
from governor.core.estate import Estate, list_of
from governor.core.holder import letting_in, public_frontends
from governor.core.hub_verdict import Routed
from governor.core.path import addressed
from governor.core.policy import Requirement
from governor.core.verdict import Result, Verdict, exempted, unknown

ASYMMETRY: Final = Requirement.ROUTE_ASYMMETRY
_EXPECTED: Final = "whoever is reached from the internet replies the way he was asked"
_LISTS: Final = ("publicIpAddresses", "loadBalancers")
_SHOWN: Final = 3


class Reached:
    """Who in an Estate is reached from the internet, looked through once for many subnets."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._places: Places | None = None

    def of_routed(self, routed: Routed) -> tuple[Verdict | None, tuple[str, ...]]:
        """A subnet of a hub policy in; its Verdict, None where nobody is reached, and the lists to read first, out."""
        subnet = routed.subnet
        lodging = [ref.id for ref in subnet.properties.ip_configurations or () if _is_machine(ref.id)]
        if routed.leaves_otherwise or not lodging:
            return None, ()
        scope = f"/subscriptions/{ids.parse(subnet.id).subscription}"
        missing = tuple(name for what in _LISTS if not self._estate.has_listed(name := list_of(what, scope)))
        if missing:
            seen = f"who in it is reached from the internet: {self._estate.why(missing[0])}"
            return unknown(subnet, ASYMMETRY, routed.policy, seen), missing
        ways = (way for one in sorted(lodging, key=ids.key) for way in self._ways_in(one, subnet.id))
        by = tuple(dict.fromkeys(ways))
        if not by:
            return None, ()
        more = len(by) - _SHOWN
        named = ", ".join(by[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
        seen = f"reached from the internet by {named}: replies that leave by the hub are lost"
        result, seen = exempted(subnet.id, ASYMMETRY, routed.policy, self._estate, seen)
        return Verdict(subnet.id, ASYMMETRY, result, routed.policy.name, seen, _EXPECTED), ()

    def _ways_in(self, configuration: str, subnet: str) -> Iterator[str]:
        """An ip configuration of a machine and its subnet in, by what the internet reaches it out, for people."""
        if self._places is None:
            self._places = places(self._estate)
        key, holder = ids.key(configuration), ids.top_level(configuration)
        if (address := self._places.holding.get(key)) is not None:
            yield f"{address.properties.ip_address or ids.name(address.id)} on {ids.name(holder)}"
        model = self._estate.find(holder, ScaleSet) if ids.kind(holder) == ids.SCALE_SET else None
        if isinstance(model, ScaleSet) and model.gives_addresses:
            yield f"the public addresses on instances of {ids.name(holder)}"
        # Pools of addresses name the network, and not who is meant in it.
        network = ids.key(ids.parent(subnet))
        reaching = self._places.reached.get(key, {}) | self._places.reached.get(network, {})
        for balancer in reaching.values():
            open_ = letting_in(balancer)
            fronts = [one.properties for one in public_frontends(balancer) if ids.key(one.id) in open_]
            held = (ref.id for one in fronts for ref in (one.public_ip_address, one.public_ip_prefix) if ref)
            shown = ", ".join(addressed(held, self._estate)[0])
            if fronts:
                yield f"load balancer {ids.name(balancer.id)}" + (f" ({shown})" if shown else "")


def lost(verdicts: tuple[Verdict, ...]) -> Verdict | None:
    """The Verdicts on a subnet in; the one that says that replies would be lost, or that nobody knows, out."""
    told = (one for one in verdicts if one.requirement == ASYMMETRY)
    return next((one for one in told if one.result in (Result.VIOLATION, Result.UNKNOWN)), None)


def _is_machine(configuration: str) -> bool:
    return ids.kind(configuration).startswith((ids.NETWORK_INTERFACE, ids.SCALE_SET))
