"""azure-identity as it comes: its credentials sign in at the simulator, and say why they could not."""

import asyncio
import base64
import json
from pathlib import Path

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential, ManagedIdentityCredential

from simulator.identity import OWNER_OBJECT, TENANT, object_id_of
from tests.simulator.sdk import Served, served

SCOPE = "https://management.azure.com/.default"


def whose(token: str) -> str:
    """A token in, the object id in it out."""
    payload = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["oid"])


def with_secret(simulator: Served, tenant: str) -> str:
    with ClientSecretCredential(
        tenant,
        "one",
        "anything",
        authority=simulator.url,
        disable_instance_discovery=True,
        connection_verify=simulator.authority,
    ) as credential:
        return whose(credential.get_token(SCOPE).token)


def managed(simulator: Served, client_id: str | None) -> str:
    with ManagedIdentityCredential(client_id=client_id, connection_verify=simulator.authority) as credential:
        return whose(credential.get_token(SCOPE).token)


async def test_a_client_with_a_secret(tmp_path: Path) -> None:
    async with served(tmp_path) as simulator:
        assert await asyncio.to_thread(with_secret, simulator, TENANT) == object_id_of("one")
        with pytest.raises(ClientAuthenticationError, match="Unable to get authority configuration"):
            await asyncio.to_thread(with_secret, simulator, "5e000000-0000-4000-8000-000000000009")


async def test_a_managed_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with served(tmp_path) as simulator:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"{simulator.url}/msi/token")
        monkeypatch.setenv("IDENTITY_HEADER", "anything")
        assert await asyncio.to_thread(managed, simulator, None) == OWNER_OBJECT
        assert await asyncio.to_thread(managed, simulator, "one") == object_id_of("one")
