"""A cluster as it would be after a write, with all its pools: what AKS's rules are asked about."""

import msgspec

from simulator.agent_pools import subnets_of
from simulator.outbound_types import outbound_of
from simulator.wire import Body, members


class Planned(msgspec.Struct, frozen=True):
    """A cluster as it would be after a write: its properties, those of its pools by name, and both as they are."""

    id: str
    location: str
    identity: Body
    properties: Body
    pools: dict[str, Body]
    before: Body | None = None
    pools_before: dict[str, Body] = {}

    @property
    def network(self) -> Body:
        return members(self.properties.get("networkProfile"))

    @property
    def outbound(self) -> str:
        return outbound_of(self.network)

    @property
    def outbound_before(self) -> str:
        """The type it has; empty when it is new, or an estate did not say one."""
        network = members((self.before or {}).get("networkProfile"))
        return outbound_of(network) if "outboundType" in network else ""

    @property
    def is_private(self) -> bool:
        return members(self.properties.get("apiServerAccessProfile")).get("enablePrivateCluster") is True

    @property
    def node_subnets(self) -> dict[str, str]:
        """The ids of somebody's own subnets in which nodes are, by key."""
        return subnets_of(self.pools.values(), "vnetSubnetID")
