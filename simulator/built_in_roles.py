"""The built-in roles that people give to what looks after networks, under the ids they have in every tenant."""

from simulator.permissions import Permission
from simulator.wire import Body

TYPE = "Microsoft.Authorization/roleDefinitions"
COLLECTION = f"/providers/{TYPE.lower()}"

_ROLES: dict[str, tuple[str, Permission]] = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": ("Owner", Permission(("*",))),
    "b24988ac-6180-42a0-ab88-20f7382dd24c": (
        "Contributor",
        Permission(
            ("*",),
            (
                "Microsoft.Authorization/*/Delete",
                "Microsoft.Authorization/*/Write",
                "Microsoft.Authorization/elevateAccess/Action",
            ),
        ),
    ),
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": ("Reader", Permission(("*/read",))),
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": (
        "User Access Administrator",
        Permission(("*/read", "Microsoft.Authorization/*", "Microsoft.Support/*")),
    ),
    "4d97b98b-1d4f-4787-a291-c67834d212e7": (
        "Network Contributor",
        Permission(
            (
                "Microsoft.Authorization/*/read",
                "Microsoft.Insights/alertRules/*",
                "Microsoft.Network/*",
                "Microsoft.ResourceHealth/availabilityStatuses/read",
                "Microsoft.Resources/deployments/*",
                "Microsoft.Resources/subscriptions/resourceGroups/read",
                "Microsoft.Support/*",
            )
        ),
    ),
    "4a9ae827-6dc8-4573-8ac7-8239d42aa03f": (
        "Tag Contributor",
        Permission(
            (
                "Microsoft.Authorization/*/read",
                "Microsoft.Resources/subscriptions/resourceGroups/read",
                "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
                "Microsoft.Resources/subscriptions/resources/read",
                "Microsoft.Resources/deployments/*",
                "Microsoft.Insights/alertRules/*",
                "Microsoft.Support/*",
                "Microsoft.Resources/tags/*",
            )
        ),
    ),
    "4633458b-17de-408a-874c-0445c86b69e6": (
        "Key Vault Secrets User",
        Permission(
            data_actions=(
                "Microsoft.KeyVault/vaults/secrets/getSecret/action",
                "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
            )
        ),
    ),
    "ac63b705-f282-497d-ac71-919bf39d939d": (
        "Management Group Reader",
        Permission(
            (
                "Microsoft.Management/managementGroups/read",
                "Microsoft.Management/managementGroups/subscriptions/read",
            )
        ),
    ),
}


def definition_key(name: str) -> str:
    """The name of a role definition (a guid) in, the key it has in the tenant out."""
    return f"{COLLECTION}/{name.casefold()}"


def definition(name: str, properties: Body) -> Body:
    """A definition's parts in, the body that is kept of it out."""
    return {"name": name, "properties": properties}


BUILT_IN: dict[str, Body] = {
    definition_key(name): definition(
        name,
        {
            "roleName": role_name,
            "type": "BuiltInRole",
            "description": "",
            "assignableScopes": ["/"],
            "permissions": [permission.body],
        },
    )
    for name, (role_name, permission) in _ROLES.items()
}
"""By their keys."""
