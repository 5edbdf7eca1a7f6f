"""A hub, its firewall and its spokes as raw bodies, and what a run over them comes to."""

from typing import Any

from governor.core import guard, ids
from governor.core.judged import judge, look
from governor.core.plan import Gate, Plan, Withheld
from governor.core.policy import Egress, HubPolicy, Policies, Policy, Select
from governor.core.propose import propose
from governor.core.standing import Standing
from governor.core.step import name
from governor.core.verdict import Result
from tests.core.world import (
    REGION,
    Azure,
    Body,
    address,
    address_id,
    around,
    config_id,
    firewall,
    freely,
    group,
    nat_policy,
    network,
    peering,
    refs,
    route,
    space,
    subnet,
    subnet_id,
    subscription,
    table,
    table_id,
    vnet,
    vnet_id,
)

HOP = "10.1.0.4"
FW = network("azureFirewalls", "fw")
FW_CONFIG = f"{FW}/azureFirewallIpConfigurations/c"
HUB = vnet_id("hub")
OWN_TABLE = network("routeTables", "rt-spoke", "rg-egress-westeurope")
INHABITED: dict[str, Any] = {"ipConfigurations": refs(config_id())}
TO_HUB = route("0.0.0.0/0", "VirtualAppliance", HOP)


def hub_network(*peerings: Body, **properties: Any) -> Body:
    firewalls = subnet("AzureFirewallSubnet", "hub", addressPrefix="10.1.0.0/26", ipConfigurations=refs(FW_CONFIG))
    given = {"addressSpace": space("10.1.0.0/16"), "virtualNetworkPeerings": list(peerings), **properties}
    return vnet(firewalls, name="hub", **given)


def spoke(*subnets: Body, peerings: tuple[Body, ...] = (), name: str = "spoke", **properties: Any) -> Body:
    given = {"addressSpace": space("10.2.0.0/16"), "virtualNetworkPeerings": list(peerings), **properties}
    return vnet(*subnets, name=name, **given)


def the_firewall(home: str = "hub", public: str | None = "pip-fw", **properties: Any) -> Body:
    one = firewall(HOP, **properties)
    inner = one["properties"]["ipConfigurations"][0]["properties"]
    inner["subnet"] = {"id": subnet_id("AzureFirewallSubnet", home)}
    if public:
        inner["publicIPAddress"] = {"id": address_id(public)}
    return one


def side(of: str, to: str, **flags: Any) -> Body:
    found = {
        "remoteVirtualNetwork": {"id": vnet_id(to)},
        "peeringState": "Connected",
        "peeringSyncLevel": "FullyInSync",
        "allowVirtualNetworkAccess": True,
        "allowForwardedTraffic": True,
        **flags,
    }
    return peering(f"to-{to}", of, **found)


OURS, THEIRS = side("spoke", "hub"), side("hub", "spoke")
AROUND: tuple[Body, ...] = (the_firewall(), address("pip-fw", "20.0.0.1"), group(), subscription())
LINKED = (hub_network(THEIRS), *AROUND)
GROUP_MADE = group("rg-egress-westeurope")


def hub_policy(**changes: Any) -> Policy:
    """Every spoke* leaves by the firewall; what is given beside HubPolicy's members is the policy's own."""
    members = set(HubPolicy.__struct_fields__)
    wanted = {key: value for key, value in changes.items() if key in members}
    given = {"hub_virtual_network": {REGION: HUB}, "firewall": {REGION: FW}, "keep_inbound": False, **wanted}
    hub = HubPolicy(**given)
    egress = Egress(hub=hub, **{k: changes[k] for k in ("allow", "replace", "default_outbound_access") if k in changes})
    own = {k: v for k, v in changes.items() if k in Policy.__struct_fields__}
    return freely(
        nat_policy(**{"name": "hub", "egress": egress, "select": Select(virtual_networks=("spoke*",)), **own})
    )


class Run:
    """What a run over an Azure comes to."""

    def __init__(self, azure: Azure, *policies: Policy, standing: Standing | None = None) -> None:
        self.policies = Policies(policies or (hub_policy(),))
        self.azure = azure
        self.seen = azure.observe(self.policies, standing)
        self.verdicts = {(ids.name(v.resource), v.requirement): v for v in judge(self.seen, self.policies)}
        proposal = propose(self.seen, look(self.seen, self.policies))
        self.plan: Plan = guard.withhold(proposal, around(self.seen, self.policies, standing))

    @property
    def steps(self) -> list[str]:
        return [name(step) for _, step in self.plan.steps]

    def held(self, requirement: str = "subnet-egress") -> Withheld:
        return next(w for w in self.plan.withheld if requirement in w.remediation.requirements)

    def why(self, requirement: str = "subnet-egress") -> tuple[Gate, str]:
        (reason,) = self.held(requirement).reasons
        return reason.gate, reason.text

    def result(self, resource: str, requirement: str) -> Result:
        return self.verdicts[resource, requirement].result

    def done(self) -> "Run":
        """Writes the Plan, and looks again."""
        for _, step in self.plan.steps:
            self.azure.apply(step)
        return Run(self.azure, *self.policies)


def run(*bodies: Body, policy: Policy | None = None) -> Run:
    return Run(Azure(*bodies), *((policy,) if policy else ()))


def with_table(*routes: Body, subnets: tuple[Body, ...] = (), policy: Policy | None = None, **properties: Any) -> Run:
    """A spoke whose subnet `app` has the table `rt`."""
    here = spoke(subnet("app", routeTable=table_id(), defaultOutboundAccess=False), *subnets, peerings=(OURS,))
    return run(here, table("rt", *routes, **properties), *LINKED, GROUP_MADE, policy=policy)


FOREIGN = route("10.50.0.0/16", "VirtualNetworkGateway")
