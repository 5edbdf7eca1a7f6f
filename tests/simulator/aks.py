"""Clusters for the tests of the simulator: short calls on one cluster `k` and its pools in, answers out."""

from typing import Any

from simulator.arm import Response
from tests.simulator.cloud import GROUP, SUBSCRIPTION, Cloud, link

CLUSTER = f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/k"
NODES = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/MC_rg_k_eastus"
NODE_NETWORK = f"{NODES}/providers/Microsoft.Network"
AKS_VERSION = "2025-05-01"
ISOLATED = {"bootstrapProfile": {"artifactSource": "Cache"}}
SUBNET = "virtualNetworks/v/subnets/s"


class Aks(Cloud):
    """A cloud with a cluster `k`, a network `v` with a subnet `s`, a NAT gateway and a route table to be used there."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"throttle": "off"} | options))
        self.vnet()
        self.subnet(SUBNET)
        self.gateway("gw", self.address("gwip"))
        self.routes("firewall")

    def routes(self, table: str, hop: str = "VirtualAppliance", prefix: str = "0.0.0.0/0") -> dict[str, str]:
        route = {"addressPrefix": prefix, "nextHopType": hop}
        if hop == "VirtualAppliance":
            route["nextHopIpAddress"] = "10.9.0.4"
        self.put(f"routeTables/{table}", {"routes": [{"name": "default", "properties": route}]})
        self.settle()
        return link(f"routeTables/{table}")

    def attach(self, subnet: str = SUBNET, prefix: str = "10.0.0.0/24", **named: str) -> None:
        """What a subnet is to name (`natGateway="gw"`) in; it names nothing else."""
        self.subnet(subnet, prefix, **{member: link(f"{member}s/{name}") for member, name in named.items()})
        self.settle()

    def cluster(self, outbound: str = "", *, own: bool = False, **properties: Any) -> Response:
        """A PUT of the cluster with one pool in AKS's network or in subnet `s`, and an outbound type."""
        return self.aks("PUT", CLUSTER, body(outbound, own=own, **properties))

    def aks(self, method: str, path: str = CLUSTER, content: object = None, **headers: str) -> Response:
        return self.call(method, path, content, version=AKS_VERSION, **headers)

    def made(self, outbound: str = "", *, own: bool = False, **properties: Any) -> dict[str, Any]:
        """A cluster that is there and Succeeded."""
        response = self.cluster(outbound, own=own, **properties)
        assert response.status in (200, 201), response.body
        self.settle()
        return self.get(CLUSTER)

    def settle(self) -> None:
        """Whatever runs comes to its end."""
        while (due := self.arm.next_due()) is not None:
            self.clock.advance((due - self.clock.now()).total_seconds())
            self.arm.settle()

    def nodes(self) -> list[str]:
        """What is in the node group: the last two parts of the ids."""
        listed = self.get(f"{NODES}/resources")["value"]
        return sorted("/".join(one["id"].split("/")[-2:]) for one in listed)


def body(outbound: str = "", *, own: bool = False, **properties: Any) -> dict[str, Any]:
    pool: dict[str, Any] = {"name": "p", "count": 2, "mode": "System"}
    if own:
        pool["vnetSubnetID"] = link(SUBNET)["id"]
    network = properties.pop("networkProfile", {}) | ({"outboundType": outbound} if outbound else {})
    content = {"dnsPrefix": "k", "agentPoolProfiles": [pool], "networkProfile": network} | properties
    return {"location": "eastus", "identity": {"type": "UserAssigned"}, "properties": content}


def told(response: Response) -> tuple[int, str]:
    """A refusal of AKS, in its flat envelope, in; its status and code out."""
    refusal = response.json()
    assert set(refusal) == {"code", "details", "message", "subcode"}, refusal
    return response.status, refusal["code"]
