"""Bodies of every modelled type with one thing wrong in them: each is answered in ARM's words, and all stays whole."""

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from simulator.arm import Arm, Dropped, ManualClock, Request, Response, bearer
from tests.simulator.cloud import GROUP, NETWORK, SUBSCRIPTION, link
from tests.simulator.test_hostile_requests import WORLD

OTHER = "11111111-1111-1111-1111-111111111111"
SPACE = {"addressSpace": {"addressPrefixes": ["10.3.0.0/16"]}}
STANDARD = {"sku": {"name": "Standard"}}
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
GRID = "providers/Microsoft.EventGrid"
CONFIGURATION = {"name": "c", "properties": {"subnet": link("virtualNetworks/v/subnets/s")}}
GATEWAY_PROPERTIES = {
    "gatewayType": "Vpn",
    "enableBgp": True,
    "bgpSettings": {"asn": 65515, "bgpPeeringAddress": "10.0.1.254"},
    "ipConfigurations": [{"name": "c", "properties": {"subnet": link("virtualNetworks/v/subnets/GatewaySubnet")}}],
}
RULE = {
    "priority": 100,
    "direction": "Inbound",
    "access": "Deny",
    "protocol": "*",
    "sourcePortRange": "*",
    "destinationPortRange": "*",
    "sourceAddressPrefix": "*",
    "destinationAddressPrefix": "*",
}
BALANCER = {
    "frontendIPConfigurations": [{"name": "f", "properties": {"subnet": link("virtualNetworks/v/subnets/s")}}],
    "backendAddressPools": [{"name": "b"}],
    "probes": [{"name": "p", "properties": {"port": 80, "protocol": "Tcp"}}],
    "loadBalancingRules": [
        {
            "name": "r",
            "properties": {
                "frontendIPConfiguration": link("loadBalancers/l/frontendIPConfigurations/f"),
                "backendAddressPool": link("loadBalancers/l/backendAddressPools/b"),
                "backendPort": 80,
            },
        }
    ],
    "outboundRules": [
        {
            "name": "o",
            "properties": {
                "backendAddressPool": link("loadBalancers/l/backendAddressPools/b"),
                "frontendIPConfigurations": [link("loadBalancers/l/frontendIPConfigurations/f")],
            },
        }
    ],
}
SUBSCRIPTION_BODY = {
    "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": "https://127.0.0.1/x"}},
    "filter": {
        "includedEventTypes": ["All"],
        "advancedFilters": [{"operatorType": "NumberInRange", "key": "data.x", "values": [[1, 2]]}],
    },
    "retryPolicy": {"maxDeliveryAttempts": 3, "eventTimeToLiveInMinutes": 5},
    "deadLetterDestination": {
        "endpointType": "StorageBlob",
        "properties": {
            "resourceId": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/s",
            "blobContainerName": "b",
        },
    },
}
SCALE_SET = {
    "virtualMachineProfile": {
        "networkProfile": {
            "networkInterfaceConfigurations": [
                {"name": "n", "properties": {"ipConfigurations": [CONFIGURATION], "networkSecurityGroup": {"id": "x"}}}
            ]
        }
    }
}
BODIES: dict[str, dict[str, Any]] = {
    f"{NETWORK}/virtualNetworks/x": {
        "location": "eastus",
        "tags": {"a": "b"},
        "properties": {
            **SPACE,
            "subnets": [{"name": "a", "properties": {"addressPrefix": "10.3.0.0/24"}}],
            "virtualNetworkPeerings": [
                {"name": "p", "properties": {"remoteVirtualNetwork": link("virtualNetworks/w")}}
            ],
        },
    },
    f"{NETWORK}/virtualNetworks/v/subnets/a": {
        "properties": {
            "addressPrefix": "10.0.9.0/24",
            "natGateway": link("natGateways/n"),
            "routeTable": link("routeTables/t"),
            "delegations": [{"name": "d", "properties": {"serviceName": "Microsoft.Web/serverFarms"}}],
        }
    },
    f"{NETWORK}/virtualNetworks/v/virtualNetworkPeerings/p": {
        "properties": {"remoteVirtualNetwork": link("virtualNetworks/w"), "remoteAddressSpace": {"addressPrefixes": []}}
    },
    f"{NETWORK}/natGateways/n": {
        "location": "eastus",
        **STANDARD,
        "properties": {"publicIpAddresses": [link("publicIPAddresses/p")], "idleTimeoutInMinutes": 4},
    },
    f"{NETWORK}/publicIPAddresses/p": {
        "location": "eastus",
        **STANDARD,
        "zones": ["1"],
        "properties": {"publicIPAllocationMethod": "Static", "publicIPAddressVersion": "IPv4"},
    },
    f"{NETWORK}/publicIPPrefixes/x": {"location": "eastus", **STANDARD, "properties": {"prefixLength": 28}},
    f"{NETWORK}/routeTables/t": {
        "location": "eastus",
        "properties": {
            "routes": [
                {
                    "name": "r",
                    "properties": {
                        "addressPrefix": "0.0.0.0/0",
                        "nextHopType": "VirtualAppliance",
                        "nextHopIpAddress": "10.0.0.4",
                    },
                }
            ]
        },
    },
    f"{NETWORK}/routeTables/t/routes/r": {"properties": {"addressPrefix": "10.0.0.0/8", "nextHopType": "None"}},
    f"{NETWORK}/networkSecurityGroups/g": {
        "location": "eastus",
        "properties": {"securityRules": [{"name": "r", "properties": RULE}]},
    },
    f"{NETWORK}/networkSecurityGroups/g/securityRules/r": {"properties": RULE},
    f"{NETWORK}/networkInterfaces/i": {"location": "eastus", "properties": {"ipConfigurations": [CONFIGURATION]}},
    f"{NETWORK}/loadBalancers/l": {"location": "eastus", **STANDARD, "properties": BALANCER},
    f"{NETWORK}/azureFirewalls/f": {
        "location": "eastus",
        "properties": {
            "ipConfigurations": [
                {
                    "name": "c",
                    "properties": {
                        "subnet": link("virtualNetworks/v/subnets/AzureFirewallSubnet"),
                        "publicIPAddress": link("publicIPAddresses/p"),
                    },
                }
            ],
            "firewallPolicy": link("firewallPolicies/fp"),
        },
    },
    f"{NETWORK}/firewallPolicies/fp": {
        "location": "eastus",
        "properties": {"basePolicy": link("firewallPolicies/base")},
    },
    f"{NETWORK}/virtualNetworkGateways/g": {"location": "eastus", "properties": GATEWAY_PROPERTIES},
    f"{NETWORK}/bastionHosts/b": {
        "location": "eastus",
        "properties": {
            "ipConfigurations": [
                {"name": "c", "properties": {"subnet": link("virtualNetworks/v/subnets/AzureBastionSubnet")}}
            ]
        },
    },
    f"{COMPUTE}/virtualMachines/m": {
        "location": "eastus",
        "properties": {"networkProfile": {"networkInterfaces": [link("networkInterfaces/i")]}},
    },
    f"{COMPUTE}/virtualMachineScaleSets/s": {"location": "eastus", "sku": {"capacity": 2}, "properties": SCALE_SET},
    f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/k": {
        "location": "eastus",
        "properties": {"networkProfile": {"outboundType": "loadBalancer"}},
    },
    f"{GROUP}/{GRID}/systemTopics/topic": {
        "location": "global",
        "properties": {"source": f"/subscriptions/{SUBSCRIPTION}", "topicType": "Microsoft.Resources.Subscriptions"},
    },
    f"/subscriptions/{SUBSCRIPTION}/{GRID}/eventSubscriptions/e": {"properties": SUBSCRIPTION_BODY},
    f"{GROUP}/providers/Microsoft.Authorization/locks/l": {"properties": {"level": "CanNotDelete"}},
    f"{GROUP}/providers/Microsoft.Resources/tags/default": {"operation": "Merge", "properties": {"tags": {"a": "b"}}},
    f"{GROUP}/providers/Microsoft.Resources/deployments/d": {"properties": {"mode": "Incremental", "template": {}}},
    GROUP: {"location": "eastus", "tags": {"a": "b"}},
    "/providers/Microsoft.Management/managementGroups/g": {
        "properties": {
            "displayName": "g",
            "details": {
                "parent": {
                    "id": "/providers/Microsoft.Management/managementGroups/5e000000-0000-4000-8000-000000000001"
                }
            },
        }
    },
    "/providers/Microsoft.ResourceGraph/resources": {
        "query": "resources | where type == 'x' | project id | order by id",
        "subscriptions": [SUBSCRIPTION],
        "options": {"$top": 1, "$skip": 0, "$skipToken": "x", "resultFormat": "table"},
    },
    "/simulator/faults": [  # type: ignore[dict-item]
        {"method": "GET", "path": "x", "status": 429, "retry_after": 3, "probability": 0.5, "count": 2, "stale": 3}
    ],
    "/simulator/clock": {"advance": 5},
    f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{OTHER}": {
        "properties": {
            "roleDefinitionId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/"
            "acdd72a7-3385-48ef-bd42-f606fba81ae7",
            "principalId": OTHER,
            "principalType": "ServicePrincipal",
        }
    },
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{OTHER}": {
        "properties": {
            "roleName": "mine",
            "type": "CustomRole",
            "permissions": [{"actions": ["*/read"], "notActions": [], "dataActions": []}],
            "assignableScopes": [f"/subscriptions/{SUBSCRIPTION}"],
        }
    },
    "/simulator/estate": WORLD,  # type: ignore[dict-item]
}
ESTATE = [
    *WORLD,
    *({**link(f"firewallPolicies/{name}"), "location": "eastus"} for name in ("fp", "base")),
    {
        **link("virtualNetworks/v/subnets/AzureBastionSubnet"),
        "properties": {"addressPrefix": "10.0.200.0/26"},
    },
]
HOSTILE: Any = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1, 28, 2**63, -(2**70), 10**400, 1e308, float("nan"), float("inf"), 0.1),
        *(
            "",
            " ",
            "x",
            "/",
            "\x00",
            "\ud800",
            "\U0001f4a9",
            "\u0131",
            "x" * 100_000,
            "10.0.0.0/33",
            "10.0.0.0/0",
            "::/0",
        ),
        *(
            "10.0.0.1/24",
            "999.0.0.0/8",
            "10.0.0.0/24",
            "2001:db8::/64",
            "\u0661.\u0660.\u0660.\u0660/8",
            "1/2/3",
            "%s%n",
            "*",
            "eastus",
        ),
        *("/subscriptions", f"/subscriptions/{OTHER}", f"{NETWORK}/virtualNetworks", f"{NETWORK}//natGateways/n"),
        *(
            f"/subscriptions/{OTHER}/resourceGroups/rg/providers/Microsoft.Network/{kind}/x"
            for kind in ("natGateways",)
        ),
        *(f"{NETWORK}/natGateways/n", f"{NETWORK}/virtualNetworks/v", f"{NETWORK}/virtualNetworks/v/subnets/s"),
        *(f"{NETWORK}/publicIPAddresses/p", f"{NETWORK}/loadBalancers/l/backendAddressPools/b", "/providers/x/y/z"),
        *([], {}, [[]], [None], [{}], [[], {}], {"": ""}, {"id": 5}, {"id": None}, {"name": []}, ["x"] * 500),
        *({"id": f"{NETWORK}/networkSecurityGroups/g"}, {"properties": []}, {"properties": None}, {"name": "a/b"}),
        "DEEP",
    ]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """A JSON value in, where all values inside it stand out."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in inner:
        found += places(member, (*path, key))
    return found


def spoiled(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A body, a place in it and what is put there in, the body with it out."""
    copy = json.loads(json.dumps(body))
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return copy


def written(body: Any) -> bytes:
    """A body in, its bytes out: with NaN and half of surrogate pairs, as careless clients send them."""
    return json.dumps(body).replace('"DEEP"', "[" * 400 + "]" * 400).encode()


@st.composite
def spoiled_requests(draw: st.DrawFn) -> Request:
    """A PUT (mostly) of a valid body in which one, two or three values are others."""
    path = draw(st.sampled_from(list(BODIES)))
    body: Any = BODIES[path]
    for _ in range(draw(st.integers(1, 3))):
        choices = [place for place in places(body) if len(place) > 1] or places(body)
        if choices:
            body = spoiled(body, draw(st.sampled_from(choices)), draw(HOSTILE))
    method = "POST" if "/simulator/" in path or path.endswith("ResourceGraph/resources") else "PUT"
    method = draw(st.sampled_from([method] * 6 + ["PATCH", "DELETE", "GET"]))
    version = draw(st.sampled_from(["2024-05-01"] * 9 + ["2022-07-01"]))
    if "Management/" in path or "ResourceGraph" in path:
        version = "2021-03-01"
    return Request(method, f"{path}?api-version={version}", bearer(), written(body))


def told(answer: Response) -> None:
    """An answer in; it is one of ARM's: a body of JSON, and an error in one of the three envelopes."""
    body = answer.json()
    if answer.status >= 400 and answer.body:
        error = body.get("error", body)
        assert {"code", "message"} <= error.keys(), body
        assert error["code"]
        assert "Traceback" not in error["message"]
    for name, value in answer.headers.items():
        assert not {"\n", "\r"} & set(name + value)
        value.encode("utf-8")


@given(st.lists(spoiled_requests(), min_size=1, max_size=6), st.sampled_from([{}, {"": 5.0}]))
def test_bodies_with_something_wrong_are_told_so(requests: list[Request], durations: dict[str, float]) -> None:
    arm = Arm(ManualClock(), throttle="off", estate=ESTATE, durations=durations, busy="async")
    for request in requests:
        try:
            answer = arm.handle(request)
        except Dropped:
            continue
        asked_for = answer.status >= 500 and arm.faults
        assert answer.status < 500 or answer.status == 501 or asked_for, (request, answer)
        told(answer)
    arm.faults.clear()
    for path in ("resources", ""):
        assert arm.handle(
            Request("GET", f"{GROUP}/{path}".rstrip("/") + "?api-version=2021-04-01", bearer())
        ).status in (200, 404)
    arm.settle()
    for delivery in arm.take_events():
        msgspec.json.decode(delivery.body)
    exported = arm.export()
    for entry in exported:
        told(arm.handle(Request("GET", f"{entry['id']}?api-version=2024-05-01", bearer())))
    assert len(Arm(ManualClock(), throttle="off", estate=exported).export()) == len(exported)
