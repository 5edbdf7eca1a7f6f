"""A small Azure for the tests of this folder: one VNet, one gateway, one subnet with much in it."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from governor.cloud.arm import Arm as Client
from governor.cloud.arm import Tuning
from governor.cloud.azure import AzureCloud
from governor.cloud.endpoint import endpoint
from governor.core import ids
from governor.core.step import Attachment, Step, WriteSubnet
from governor.ports import Applied
from simulator.arm import Arm, bearer
from simulator.faults import Fault
from simulator.wire import Request
from tests.support.clock import FakeClock
from tests.support.roles import Roles
from tests.support.transport import InProcessTransport

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = ids.group(SUBSCRIPTION, "rg")
VNET = ids.network(SUBSCRIPTION, "rg", "virtualNetworks", "spoke")
SUBNET = f"{VNET}/subnets/work"
GATEWAY = ids.network(SUBSCRIPTION, "rg", "natGateways", "out")
ADDRESS = ids.network(SUBSCRIPTION, "rg", "publicIPAddresses", "out-ip")
SECURITY = ids.network(SUBSCRIPTION, "rg", "networkSecurityGroups", "guard")
ENDPOINT = "https://127.0.0.1:8443"

SUBNET_PROPERTIES: dict[str, Any] = {
    "addressPrefix": "10.0.1.0/24",
    "networkSecurityGroup": {"id": SECURITY},
    "serviceEndpoints": [{"service": "Microsoft.Storage", "locations": ["westeurope"]}],
    "delegations": [
        {"name": "web", "properties": {"serviceName": "Microsoft.Web/serverFarms", "actions": ["a/action"]}},
    ],
    "privateEndpointNetworkPolicies": "Disabled",
    "privateLinkServiceNetworkPolicies": "Enabled",
    "defaultOutboundAccess": False,
    "fromTheFuture": {"nested": [1, {"deep": True}]},
}
ESTATE: list[dict[str, Any]] = [
    {"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "name": "rg", "location": "westeurope"},
    {
        "id": VNET,
        "type": "Microsoft.Network/virtualNetworks",
        "name": "spoke",
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "work", "properties": SUBNET_PROPERTIES}],
        },
    },
    {
        "id": SECURITY,
        "type": "Microsoft.Network/networkSecurityGroups",
        "name": "guard",
        "location": "westeurope",
        "properties": {},
    },
    {
        "id": ADDRESS,
        "type": "Microsoft.Network/publicIPAddresses",
        "name": "out-ip",
        "location": "westeurope",
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {"publicIPAllocationMethod": "Static", "ipAddress": "20.0.0.1"},
    },
    {
        "id": GATEWAY,
        "type": "Microsoft.Network/natGateways",
        "name": "out",
        "location": "westeurope",
        "sku": {"name": "Standard", "tier": "Regional"},
        "properties": {"idleTimeoutInMinutes": 4, "publicIpAddresses": [{"id": ADDRESS}]},
    },
]
ATTACH = WriteSubnet(SUBNET, to=Attachment(nat_gateway=GATEWAY), was=Attachment(nat_gateway=None))


class Azure:
    """A clock, a simulator and a Cloud that asks it, all in one process. Operations take `seconds`.

    When it is `limited`, the Cloud is a principal of its own, which may do what `roles` gives it: everything at first.
    """

    def __init__(
        self,
        seconds: float = 5.0,
        *,
        retry_after: Mapping[str, int] | None = None,
        patience: float = 60.0,
        deadline: float = 300.0,
        page_size: int = 1000,
        estate: list[dict[str, Any]] | None = None,
        busy: Literal["conflict", "retryable"] = "conflict",
        limited: bool = False,
        **arm: Any,
    ) -> None:
        self.clock = FakeClock()
        self.arm = Arm(
            self.clock,
            durations={"": seconds, **dict.fromkeys(_TYPES, seconds)},
            retry_after=retry_after,
            page_size=page_size,
            busy=busy,
            estate=ESTATE if estate is None else estate,
            roles="assigned" if limited else "open",
            **arm,
        )
        self.roles = Roles(self.arm)
        if limited:
            self.roles.give("", "*")
        self.transport = InProcessTransport(self.arm, clock=self.clock, token=self.roles.token if limited else "")
        self.client = Client(
            endpoint(ENDPOINT, "public"), self.clock, transport=self.transport, tuning=Tuning(patience=patience, seed=1)
        )
        self.cloud = AzureCloud(self.client, deadline=deadline)
        self.renewals = 0

    async def renew(self) -> None:
        self.renewals += 1

    async def body(self, resource_id: str) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(await self.client.get(resource_id))
        return found

    def edit(self, resource_id: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Somebody else changes a resource."""
        target = f"{resource_id}?api-version=2026-03-01"
        body = self.arm.handle(Request("GET", target, bearer())).json()
        change(body)
        written = self.arm.handle(Request("PUT", target, bearer(), msgspec.json.encode(body)))
        assert written.status in (200, 201), written.body

    async def apply(self, step: Step) -> Applied:
        return await self.cloud.apply("d1", step, self.renew)

    def strikes(self, method: str, path: str, **fault: Any) -> None:
        """The next request that matches fails."""
        self.arm.faults.append(Fault(method=method, path=path, **fault))


_TYPES = tuple(
    f"microsoft.network/{name}"
    for name in (
        "virtualnetworks",
        "virtualnetworks/subnets",
        "virtualnetworks/virtualnetworkpeerings",
        "virtualnetworkgateways/getlearnedroutes",
        "natgateways",
        "publicipaddresses",
        "routetables",
        "routetables/routes",
    )
)
