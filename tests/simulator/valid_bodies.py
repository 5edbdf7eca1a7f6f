"""One valid body for every modelled path, and an estate in which they are valid."""

from typing import Any

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
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {"x": {}}},
        "properties": {
            "dnsPrefix": "k",
            "nodeResourceGroup": "nodes",
            "nodeResourceGroupProfile": {"restrictionLevel": "ReadOnly"},
            "apiServerAccessProfile": {"enablePrivateCluster": True},
            "agentPoolProfiles": [
                {"name": "p", "count": 2, "vnetSubnetID": link("virtualNetworks/v/subnets/s")["id"]},
                {
                    "name": "g",
                    "count": 1,
                    "mode": "Gateway",
                    "gatewayProfile": {"publicIPPrefixSize": 30},
                    "vnetSubnetID": link("virtualNetworks/v/subnets/s")["id"],
                    "enableNodePublicIP": True,
                },
            ],
            "networkProfile": {
                "networkPlugin": "kubenet",
                "podCidr": "10.244.0.0/16",
                "outboundType": "loadBalancer",
                "loadBalancerProfile": {"managedOutboundIPs": {"count": 2}, "idleTimeoutInMinutes": 30},
            },
        },
    },
    f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/m": {
        "location": "eastus",
        "properties": {
            "agentPoolProfiles": [{"name": "p", "count": 2}],
            "networkProfile": {
                "outboundType": "managedNATGateway",
                "natGatewayProfile": {"managedOutboundIPProfile": {"count": 1}, "sku": "Standard"},
            },
        },
    },
    f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/k/agentPools/p": {
        "properties": {"count": 3, "mode": "System", "vnetSubnetID": link("virtualNetworks/v/subnets/s")["id"]},
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
