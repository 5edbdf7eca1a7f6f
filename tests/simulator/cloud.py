"""A simulator in one hand: short calls in, answers out, on a clock that only moves when told."""

import json
from typing import Any

from simulator.arm import Arm, ManualClock, Request, Response, bearer

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
VERSION = "2024-05-01"
OLDER = "2021-03-01"
"""For the providers that have no newer one."""


class Cloud:
    """One Arm with a subscription and the group `rg` in eastus; ids are relative to the group's network provider."""

    def __init__(self, **options: Any) -> None:
        self.clock = ManualClock()
        self.arm = Arm(self.clock, **options)
        self.arm.load(
            [
                {"id": f"/subscriptions/{SUBSCRIPTION}", "type": "Microsoft.Resources/subscriptions"},
                {"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "eastus"},
            ]
        )

    def call(self, method: str, path: str, body: object = None, version: str = "", **headers: str) -> Response:
        """A call in, its answer out; a path that does not start with a slash is one of the network provider's."""
        target = path if path.startswith("/") else f"{NETWORK}/{path}"
        separator = "&" if "?" in target else "?"
        sent = json.dumps(body).encode() if body is not None else b""
        version = version or version_for(path)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.arm.handle(Request(method, f"{target}{separator}api-version={version}", bearer() | named, sent))

    def get(self, path: str) -> dict[str, Any]:
        """A path in, the body of its 200 out."""
        response = self.call("GET", path)
        assert response.status == 200, response.body
        found: dict[str, Any] = response.json()
        return found

    def put(self, path: str, properties: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
        """A resource in, the body of its 200 or 201 out; a location is added where one is needed."""
        body: dict[str, Any] = {"properties": properties or {}, **members}
        if path.count("/") == 1:
            body.setdefault("location", "eastus")
        response = self.call("PUT", path, body)
        assert response.status in (200, 201), response.body
        found: dict[str, Any] = response.json()
        return found

    def refused(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, str]:
        """A call that fails in, its status and error code out."""
        response = self.call(method, path, body, **headers)
        error = response.json()["error"]
        return response.status, error["details"][0]["code"] if error.get("details") else error["code"]

    # --- the usual things -------------------------------------------------------------------------

    def vnet(self, name: str = "v", prefix: str = "10.0.0.0/16") -> str:
        self.put(f"virtualNetworks/{name}", {"addressSpace": {"addressPrefixes": [prefix]}})
        return f"virtualNetworks/{name}"

    def subnet(self, path: str, prefix: str = "10.0.0.0/24", **properties: Any) -> dict[str, Any]:
        return self.put(path, {"addressPrefix": prefix, **properties})

    def address(self, name: str, sku: str = "Standard") -> dict[str, str]:
        method = "Dynamic" if sku == "Basic" else "Static"
        self.put(f"publicIPAddresses/{name}", {"publicIPAllocationMethod": method}, sku={"name": sku})
        return link(f"publicIPAddresses/{name}")

    def gateway(self, name: str, *addresses: dict[str, str], sku: str = "Standard") -> dict[str, str]:
        self.put(f"natGateways/{name}", {"publicIpAddresses": list(addresses)}, sku={"name": sku})
        return link(f"natGateways/{name}")

    def nic(self, name: str, subnet: str, **configuration: Any) -> dict[str, Any]:
        return self.put(f"networkInterfaces/{name}", nic_properties(subnet, **configuration))


def nic_properties(subnet: str, **configuration: Any) -> dict[str, Any]:
    """A subnet's path in, the properties of an interface in it out."""
    return {"ipConfigurations": [{"name": "one", "properties": {"subnet": link(subnet), **configuration}}]}


def version_for(path: str) -> str:
    """A path in, an api-version that there is for it out."""
    return OLDER if "/Microsoft.Management/" in path or "/Microsoft.ResourceGraph/" in path else VERSION


def link(path: str) -> dict[str, str]:
    """A path of the network provider in, a reference to it out."""
    return {"id": f"{NETWORK}/{path}"}


def without_etags(value: Any) -> Any:
    """Any JSON in, the same without etags at any depth out."""
    if isinstance(value, dict):
        return {name: without_etags(member) for name, member in value.items() if name.lower() != "etag"}
    return [without_etags(element) for element in value] if isinstance(value, list) else value
