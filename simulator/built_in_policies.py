"""The built-in policy definitions that are modelled, with their real ids and rules: a key in, a definition out."""

import msgspec

from simulator.store import Stored
from simulator.wire import Body

TYPE = "Microsoft.Authorization/policyDefinitions"
_VNET = "Microsoft.Network/virtualNetworks"
_CONFIGURATION = "Microsoft.Network/networkInterfaces/ipconfigurations[*]"


def _effect(default: str, *allowed: str) -> Body:
    return {"type": "String", "allowedValues": list(allowed), "defaultValue": default}


def _definition(name: str, shown: str, mode: str, category: str, version: str) -> Body:
    return {
        "name": name,
        "displayName": shown,
        "policyType": "BuiltIn",
        "mode": mode,
        "metadata": {"version": version, "category": category},
        "version": version,
        "versions": [version],
    }


_DEFINITIONS: tuple[Body, ...] = (
    _definition(
        "83a86a26-fd1f-447c-b59d-e51f44264114",
        "Network interfaces should not have public IPs",
        "Indexed",
        "Network",
        "1.0.0",
    )
    | {
        "parameters": {},
        "policyRule": {
            "if": {
                "allOf": [
                    {"field": "type", "equals": "Microsoft.Network/networkInterfaces"},
                    {"not": {"field": f"{_CONFIGURATION}.publicIpAddress.id", "notLike": "*"}},
                ]
            },
            "then": {"effect": "deny"},
        },
    },
    _definition("7bca8353-aa3b-429b-904a-9229c4385837", "Subnets should be private", "All", "Network", "1.1.0")
    | {
        "parameters": {"effect": _effect("Audit", "Audit", "Deny", "Disabled")},
        "policyRule": {
            "if": {
                "anyOf": [
                    {
                        "allOf": [
                            {"field": "type", "equals": _VNET},
                            {
                                "count": {
                                    "field": f"{_VNET}/subnets[*]",
                                    "where": {
                                        "anyOf": [
                                            {
                                                "field": f"{_VNET}/subnets[*].defaultOutboundAccess",
                                                "notEquals": "false",
                                            },
                                            {"field": f"{_VNET}/subnets[*].defaultOutboundAccess", "exists": False},
                                        ]
                                    },
                                },
                                "greater": 0,
                            },
                        ]
                    },
                    {
                        "allOf": [
                            {"field": "type", "equals": f"{_VNET}/subnets"},
                            {"field": f"{_VNET}/subnets/defaultOutboundAccess", "notEquals": "false"},
                        ]
                    },
                ]
            },
            "then": {"effect": "[parameters('effect')]"},
        },
    },
    _definition("6c112d4e-5bc7-47ae-a041-ea2d9dccd749", "Not allowed resource types", "All", "General", "2.0.0")
    | {
        "parameters": {
            "listOfResourceTypesNotAllowed": {"type": "Array", "metadata": {"strongType": "resourceTypes"}},
            "effect": _effect("Deny", "Audit", "Deny", "Disabled"),
        },
        "policyRule": {
            "if": {
                "allOf": [
                    {"field": "type", "in": "[parameters('listOfResourceTypesNotAllowed')]"},
                    {"value": "[field('type')]", "exists": True},
                ]
            },
            "then": {"effect": "[parameters('effect')]"},
        },
    },
    _definition(
        "3fc4dc25-5baf-40d8-9b05-7fe74c1bc64e",
        "Kubernetes clusters should use internal load balancers",
        "Microsoft.Kubernetes.Data",
        "Kubernetes",
        "8.2.0",
    )
    | {
        "parameters": {
            "source": {"type": "String", "defaultValue": "Original", "allowedValues": ["All", "Generated", "Original"]},
            "warn": {"type": "Boolean", "defaultValue": False},
            "effect": _effect("Deny", "audit", "Audit", "deny", "Deny", "disabled", "Disabled"),
            "excludedNamespaces": {
                "type": "Array",
                "defaultValue": ["kube-system", "gatekeeper-system", "azure-arc", "azure-extensions-usage-system"],
            },
            "namespaces": {"type": "Array", "defaultValue": []},
            "labelSelector": {"type": "Object", "defaultValue": {}},
        },
        "policyRule": {
            "if": {"field": "type", "in": ["Microsoft.ContainerService/managedClusters"]},
            "then": {
                "effect": "[parameters('effect')]",
                "details": {
                    "source": "[parameters('source')]",
                    "warn": "[parameters('warn')]",
                    "templateInfo": {
                        "sourceType": "PublicURL",
                        "url": "https://store.policy.core.windows.net/kubernetes/load-balancer-no-public-ips/v1/template.yaml",
                    },
                    "apiGroups": [""],
                    "kinds": ["Service"],
                    "excludedNamespaces": "[parameters('excludedNamespaces')]",
                    "namespaces": "[parameters('namespaces')]",
                    "labelSelector": "[parameters('labelSelector')]",
                },
            },
        },
    },
)


def _stored(definition: Body) -> Stored:
    properties = {name: value for name, value in definition.items() if name != "name"}
    return Stored(f"/providers/{TYPE}/{definition['name']}", TYPE, msgspec.json.encode({"properties": properties}))


BUILT_IN = {stored.id.casefold(): stored for stored in map(_stored, _DEFINITIONS)}
