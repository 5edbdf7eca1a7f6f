"""Key Vault: secrets as ARM stores them, and the vaults' own answers at `/vaults/VAULT/secrets/NAME[/VERSION]`.

The values stand beside the properties. No read of ARM shows them, and no export: who loads an export has no values.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from simulator import errors
from simulator.calls import Call
from simulator.identity import TENANT, Principal, principal_of
from simulator.plain import stored_plain
from simulator.render import render
from simulator.shapes import UNSEEN
from simulator.store import Store, Stored
from simulator.wire import Body, Dropped, Request, Response, answer, members, text
from simulator.world import World

VAULTS: Final = "microsoft.keyvault/vaults"
SECRETS: Final = f"{VAULTS}/secrets"
GET_SECRET: Final = "Microsoft.KeyVault/vaults/secrets/getSecret/action"
_VERSIONS: Final = "versions"


def put(world: World, call: Call) -> Response:
    """A secret with its value in; it has a new version, and the value is shown to nobody."""
    address, store = call.address, world.store
    vault = store.get(address.top.key)
    if vault is None:
        raise errors.parent_not_found(address.top.names[-1])
    old = store.get(address.key)
    shown_id = old.id if old is not None else f"{vault.id}/secrets/{address.names[-1]}"
    stored = stored_secret(shown_id, address.type, call.content(), (old, world.guid))
    store.put(address.key, stored)
    world.publish(stored.id, stored.type, call.caller, deleted=False, updated=old is not None)
    return answer(200 if old is not None else 201, render(store, address.key, stored))


def stored_secret(
    secret_id: str, type_name: str, body: Body, before: tuple[Stored | None, Callable[[], str]]
) -> Stored:
    """A secret's body as somebody writes it in, the secret as it is kept out: earlier versions stay."""
    old, guid = before
    stored = stored_plain(secret_id, type_name, body)
    content = stored.content
    properties = members(content.get("properties"))
    versions = members(members(old.content.get(UNSEEN)).get(_VERSIONS)) if old is not None else {}
    value = properties.pop("value", None)
    if isinstance(value, str):
        versions = {**versions, guid().replace("-", ""): value}
    vault = secret_id.split("/")[-3].lower()
    uri = f"https://{vault}.vault.azure.net/secrets/{stored.name}"
    newest = next(reversed(versions), "")
    content["properties"] = properties | {
        "secretUri": uri,
        "secretUriWithVersion": f"{uri}/{newest}" if newest else uri,
    }
    content[UNSEEN] = {_VERSIONS: versions}
    return msgspec.structs.replace(stored, body=msgspec.json.encode(content))


def answered(world: World, request: Request, path: list[str]) -> Response | None:
    """A request and the segments of its path in, a vault's answer out; None when it is for somebody else."""
    match [part for part in path if part]:
        case ["vaults", vault, "secrets", name, *rest] if len(rest) <= 1 and request.method == "GET":
            return _secret(world, request, (vault, name, rest[0] if rest else ""))
        case _:
            return None


def _secret(world: World, request: Request, wanted: tuple[str, str, str]) -> Response:
    vault_name, name, version = wanted
    vault = _vault(world.store, vault_name)
    if vault is None:
        raise Dropped(request.path)  # the name of a vault that is not there leads to nobody
    if not (request.header("Authorization") or "").startswith("Bearer "):
        challenge = f'Bearer authorization="https://login.windows.net/{TENANT}", resource="https://vault.azure.net"'
        told = _error("Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
        return answer(401, told, {"WWW-Authenticate": challenge})
    secret_id = f"{vault.id}/secrets/{name}"
    principal = principal_of(request)
    if not world.access.may_with_data(principal, GET_SECRET, secret_id):
        return answer(403, _error("Forbidden", _denied(principal, secret_id, vault), "ForbiddenByRbac"))
    stored = world.store.get(secret_id.casefold())
    content = stored.content if stored is not None else {}
    versions = members(members(content.get(UNSEEN)).get(_VERSIONS))
    chosen = version or next(reversed(versions), "")
    if chosen not in versions:
        said = f"A secret with (name/id) {name}{f'/{version}' if version else ''} was not found in this key vault."
        return answer(404, _error("SecretNotFound", said))
    attributes = members(members(content.get("properties")).get("attributes"))
    if attributes.get("enabled") is False:
        said = "Operation get is not allowed on a disabled secret."
        return answer(403, _error("Forbidden", said, "SecretDisabled"))
    uri = text(members(content.get("properties")).get("secretUri"))
    return answer(
        200, {"value": versions[chosen], "id": f"{uri}/{chosen}", "attributes": {"enabled": True, **attributes}}
    )


def _vault(store: Store, name: str) -> Stored | None:
    """The vault of a name, which is one of a kind in all of Azure."""
    wanted = f"/providers/{VAULTS}/{name.casefold()}"
    for subscription in store.keys_in("/subscriptions"):
        for group in store.keys_in(f"{subscription}/resourcegroups"):
            if (found := store.get(f"{group}{wanted}")) is not None:
                return found
    return None


def _denied(principal: Principal, secret_id: str, vault: Stored) -> str:
    return (
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role "
        "definitions were changed recently, please observe propagation time.\r\n"
        f"Caller: appid={principal.application_id};oid={principal.object_id};iss=https://sts.windows.net/{TENANT}/\r\n"
        f"Action: '{GET_SECRET}'\r\nResource: '{secret_id.lower()}'\r\nAssignment: (not found)\r\n"
        f"DenyAssignmentId: null\r\nDecisionReason: null \r\n"
        f"Vault: {vault.name};location={vault.content.get('location')}\r\n"
    )


def _error(code: str, message: str, inner: str = "") -> Body:
    return {"error": {"code": code, "message": message} | ({"innererror": {"code": inner}} if inner else {})}
