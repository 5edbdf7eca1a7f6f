"""Roles of one principal of a simulator whose roles are `assigned`: given and taken away by its owner.

arm = Arm(clock, roles="assigned")
governor = Roles(arm)
governor.give("", "*", less=("Microsoft.Network/virtualNetworks/peer/action",))
InProcessTransport(arm, token=governor.token)
"""

import uuid
from typing import Any

import msgspec

from simulator.arm import Arm, Request, bearer
from simulator.identity import object_id_of

PROVIDER = "/providers/Microsoft.Authorization"


class Roles:
    """What a token may do. A scope is an id, empty for the tenant's root."""

    def __init__(self, arm: Arm, token: str = "governor") -> None:
        self.token = token
        self._arm = arm

    def give(self, scope: str, *actions: str, less: tuple[str, ...] = (), data: tuple[str, ...] = ()) -> None:
        """A role of its own lets the principal do these actions at a scope and below it, in place of an earlier one."""
        name = self._name(scope)
        role = {"actions": [*actions], "notActions": [*less], "dataActions": [*data], "notDataActions": []}
        definition = {"roleName": name, "type": "CustomRole", "assignableScopes": [scope], "permissions": [role]}
        assignment = {"roleDefinitionId": f"{PROVIDER}/roleDefinitions/{name}", "principalId": object_id_of(self.token)}
        self._put(f"{PROVIDER}/roleDefinitions/{name}", definition)
        self._put(f"{scope}{PROVIDER}/roleAssignments/{name}", assignment)

    def take(self, scope: str) -> None:
        """What was given at a scope is taken away."""
        self._asked("DELETE", f"{scope}{PROVIDER}/roleAssignments/{self._name(scope)}")

    def limit_to(self, *subscriptions: str) -> None:
        """In these subscriptions the principal may do everything, elsewhere it only sees the management groups."""
        self.give("", "Microsoft.Management/managementGroups/*")
        for subscription in subscriptions:
            self.give(f"/subscriptions/{subscription}", "*")

    def _name(self, scope: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.token} {scope.casefold()}"))

    def _put(self, path: str, properties: dict[str, Any]) -> None:
        self._asked("PUT", path, msgspec.json.encode({"properties": properties}))

    def _asked(self, method: str, path: str, body: bytes = b"") -> None:
        answer = self._arm.handle(Request(method, f"{path}?api-version=2022-04-01", bearer(), body))
        assert answer.status in (200, 201), answer.body
