"""Key Vault: what is asked of whom, with which token, and what comes of every answer."""

from typing import Any

import msgspec
import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.rest import HttpRequest

from governor.cloud.arm import Arm
from governor.cloud.endpoint import endpoint
from governor.core.secret import Concealed, Reference
from governor.ports import Absent, Refused, Terminal, Transient, Trouble
from simulator.wire import Response, answer
from tests.cloud.test_endpoint import SECRET, Credential
from tests.support.clock import FakeClock
from tests.support.transport import InProcessResponse, InProcessTransport

WANTED = Reference("kv-proxy", "address")
VALUE = {"value": "http://u:hunter2@p:1", "id": "https://kv-proxy.vault.azure.net/secrets/address/" + "a" * 32}


class Answers(InProcessTransport):
    """A transport that gives one answer to everything, and remembers whom it was asked for."""

    def __init__(self, given: Response | Exception) -> None:
        self.given = given
        self.asked: list[HttpRequest] = []

    async def send(self, request: HttpRequest, **_: Any) -> InProcessResponse:
        self.asked.append(request)
        if isinstance(self.given, Exception):
            raise self.given
        return InProcessResponse(request, self.given)


def arm(given: Response | Exception, url: str | None = None, cloud: str = "public") -> tuple[Arm, Answers, Credential]:
    transport, credential = Answers(given), Credential()
    return Arm(endpoint(url, cloud), FakeClock(), transport=transport, credential=credential), transport, credential


CLOUDS = [
    ("public", "vault.azure.net"),
    ("usgovernment", "vault.usgovcloudapi.net"),
    ("china", "vault.azure.cn"),
]


@pytest.mark.parametrize(("cloud", "suffix"), CLOUDS)
async def test_a_token_for_vaults_goes_to_the_vault_and_nowhere_else(cloud: str, suffix: str) -> None:
    asked, transport, credential = arm(answer(200, VALUE), cloud=cloud)
    found = await asked.vault.secret(Reference("kv-proxy", "address", "b" * 32))
    assert (found.version, found.value) == ("a" * 32, Concealed("http://u:hunter2@p:1"))
    (request,) = transport.asked
    assert request.url == f"https://kv-proxy.{suffix}/secrets/address/{'b' * 32}?api-version=7.4"
    assert request.headers["Authorization"] == f"Bearer {SECRET}"
    assert credential.scopes == [f"https://{suffix}/.default"]


async def test_a_simulator_is_asked_for_vaults_with_its_own_token() -> None:
    asked, transport, credential = arm(answer(200, VALUE), "http://127.0.0.1:8443")
    await asked.vault.secret(Reference("kv-proxy", "address", suffix="vault.azure.net"))
    (request,) = transport.asked
    assert request.url == "http://127.0.0.1:8443/vaults/kv-proxy/secrets/address?api-version=7.4"
    assert request.headers["Authorization"] == "Bearer simulator"
    assert credential.scopes == []


async def test_a_vault_of_another_cloud_is_asked_nothing() -> None:
    asked, transport, credential = arm(answer(200, VALUE))
    with pytest.raises(Terminal, match=r"vault\.azure\.cn is of another cloud than vault\.azure\.net"):
        await asked.vault.secret(Reference("kv-proxy", "address", suffix="vault.azure.cn"))
    assert (transport.asked, credential.scopes) == ([], [])


def error(code: str, inner: str = "") -> dict[str, Any]:
    return {"error": {"code": code, "message": "hunter2", **({"innererror": {"code": inner}} if inner else {})}}


LACKS = "the governor's identity lacks Key Vault Secrets User on vault kv-proxy"
ANSWERS: list[tuple[Response | Exception, type[Trouble], str]] = [
    (answer(403, error("Forbidden", "ForbiddenByRbac")), Refused, f"{LACKS} (ForbiddenByRbac)"),
    (answer(403, error("Forbidden", "AccessDenied")), Refused, f"{LACKS} (AccessDenied)"),
    (answer(403, error("Forbidden")), Refused, LACKS),
    (answer(403, "no"), Refused, LACKS),
    (answer(401, error("Unauthorized")), Refused, f"{LACKS} (Unauthorized)"),
    (answer(403, error("Forbidden", "ForbiddenByFirewall")), Refused, "kv-proxy refuses it (ForbiddenByFirewall)"),
    (answer(403, error("Forbidden", "SecretDisabled")), Refused, "a secret that is turned off"),
    (answer(404, error("SecretNotFound")), Absent, "vault kv-proxy has no secret address"),
    (answer(200, {"value": 7, "id": "x"}), Terminal, "what vault kv-proxy answers is no secret"),
    (Response(200, {}, b"hunter2"), Terminal, "what vault kv-proxy answers is no secret"),
    (answer(302, None, {"Location": "https://elsewhere.example"}), Terminal, "HTTP 302"),
    (ServiceRequestError("no such host"), Terminal, "vault kv-proxy does not answer; is its name right"),
]


@pytest.mark.parametrize(("given", "word", "said"), ANSWERS)
async def test_every_answer_is_one_of_the_five_words(
    given: Response | Exception, word: type[Trouble], said: str
) -> None:
    asked, transport, _ = arm(given)
    with pytest.raises(word) as told:
        await asked.vault.secret(WANTED)
    assert said in str(told.value)
    assert "hunter2" not in str(told.value)
    assert len(transport.asked) == 1


async def test_a_vault_that_is_busy_is_asked_again_for_a_while() -> None:
    asked, transport, _ = arm(answer(429, error("Throttled"), {"Retry-After": "20"}))
    with pytest.raises(Transient):
        await asked.vault.secret(WANTED)
    assert len(transport.asked) > 1


async def test_what_was_read_shows_nothing() -> None:
    asked, _, _ = arm(answer(200, VALUE))
    found = await asked.vault.secret(WANTED)
    assert "hunter2" not in repr(found)
    with pytest.raises(TypeError):
        msgspec.json.encode(found)
