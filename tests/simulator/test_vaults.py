"""Key Vault in the simulator: secrets by ARM and by the vault itself, who may read them, and what no read shows."""

from typing import Any

import msgspec
import pytest

from simulator.arm import Arm, ManualClock, Request, bearer
from simulator.vaults import GET_SECRET
from simulator.wire import Dropped, Response
from tests.support.roles import Roles

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv-proxy"
SECRET = f"{VAULT}/secrets/address"


def simulator(**options: Any) -> Arm:
    arm = Arm(ManualClock(), throttle="off", **options)
    arm.load([{"id": VAULT, "type": "Microsoft.KeyVault/vaults", "location": "westeurope"}])
    return arm


def write(arm: Arm, value: str, **properties: Any) -> Response:
    body = msgspec.json.encode({"properties": {"value": value, **properties}})
    return arm.handle(Request("PUT", f"{SECRET}?api-version=2023-07-01", bearer(), body))


def read(arm: Arm, path: str = "kv-proxy/secrets/address", token: str = "simulator") -> Response:
    headers = bearer(token) if token else {}
    return arm.handle(Request("GET", f"/vaults/{path}?api-version=7.4", headers))


def test_every_write_is_a_version_that_stays() -> None:
    arm = simulator()
    assert write(arm, "first").status == 201
    first = read(arm).json()
    assert write(arm, "second").status == 200
    newest = read(arm, "KV-Proxy/secrets/Address").json()
    assert (first["value"], newest["value"]) == ("first", "second")
    assert first["id"] != newest["id"]
    assert first["id"].startswith("https://kv-proxy.vault.azure.net/secrets/address/")
    version = first["id"].rpartition("/")[2]
    assert len(version) == 32
    assert read(arm, f"kv-proxy/secrets/address/{version}").json()["value"] == "first"


def test_neither_arm_nor_an_export_shows_a_value() -> None:
    arm = simulator()
    shown = [write(arm, "hunter2").body]
    shown.append(arm.handle(Request("GET", f"{SECRET}?api-version=2023-07-01", bearer())).body)
    shown.append(arm.handle(Request("GET", f"{VAULT}/secrets?api-version=2023-07-01", bearer())).body)
    shown.append(msgspec.json.encode(arm.export()))
    shown.append(arm.handle(Request("GET", "/simulator/estate")).body)
    assert b"address" in shown[-1]
    assert not any(b"hunter2" in one for one in shown)
    # Whoever loads it has the secret without its value.
    copy = simulator(estate=arm.export())
    assert read(copy).json()["error"]["code"] == "SecretNotFound"


def test_an_estate_may_bring_values() -> None:
    arm = simulator()
    arm.load([{"id": SECRET, "type": "Microsoft.KeyVault/vaults/secrets", "properties": {"value": "from-file"}}])
    assert read(arm).json()["value"] == "from-file"


def test_refusals() -> None:
    arm = simulator()
    assert read(arm).json()["error"]["code"] == "SecretNotFound"
    missing = read(arm, token="")
    assert (missing.status, "AKV10000" in missing.json()["error"]["message"]) == (401, True)
    assert missing.headers["WWW-Authenticate"].startswith("Bearer authorization=")
    write(arm, "x", attributes={"enabled": False})
    assert read(arm).json()["error"]["innererror"] == {"code": "SecretDisabled"}
    with pytest.raises(Dropped):
        read(arm, "kv-nobody/secrets/address")
    orphan = f"{GROUP}/providers/Microsoft.KeyVault/vaults/other/secrets/x?api-version=2023-07-01"
    refused = arm.handle(Request("PUT", orphan, bearer(), b"{}"))
    assert refused.json()["error"]["code"] == "ParentResourceNotFound"


def test_an_owner_may_not_read_what_a_vault_holds_without_its_role() -> None:
    arm = simulator(roles="assigned")
    write(arm, "x")
    somebody = Roles(arm, "somebody")
    somebody.give("", "*")
    refused = read(arm, token="somebody")
    assert refused.status == 403
    assert refused.json()["error"]["innererror"] == {"code": "ForbiddenByRbac"}
    assert f"Action: '{GET_SECRET}'" in refused.json()["error"]["message"]
    somebody.give(VAULT, data=(GET_SECRET,))
    assert read(arm, token="somebody").json()["value"] == "x"
    assert read(arm).json()["value"] == "x"
