"""Signing in: what is asked before ARM, who is behind a token, when it is over, and what Entra ID refuses."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from simulator.arm import Arm, Fault, ManualClock, Request, Response, bearer
from simulator.identity import OWNER_APPLICATION, OWNER_OBJECT, TENANT
from tests.simulator.cloud import GROUP, Cloud

HERE = {"Host": "127.0.0.1:8443"}
FORM = {
    "client_id": "one",
    "client_secret": "hidden",
    "grant_type": "client_credentials",
    "scope": "https://management.azure.com/.default",
}
IDENTITY = "/msi/token?api-version=2019-08-01&resource=https://management.azure.com/"


def get(cloud: Cloud, target: str, **headers: str) -> Response:
    return cloud.arm.handle(Request("GET", target, HERE | {k.replace("_", "-"): v for k, v in headers.items()}))


def post(cloud: Cloud, form: dict[str, str], tenant: str = TENANT) -> Response:
    return cloud.arm.handle(Request("POST", f"/{tenant}/oauth2/v2.0/token", HERE, urlencode(form).encode()))


def claims(token: str) -> dict[str, Any]:
    header, payload, signature = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "none", "typ": "JWT"}
    assert signature == ""
    said: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return said


def signed_in(cloud: Cloud, **form: str) -> str:
    answer = post(cloud, FORM | form)
    assert answer.status == 200, answer.body
    return str(answer.json()["access_token"])


def test_endpoints_are_where_they_were_asked_for(cloud: Cloud) -> None:
    found = get(cloud, "/metadata/endpoints?api-version=2022-09-01").json()
    assert found["resourceManager"] == found["authentication"]["loginEndpoint"] == "https://127.0.0.1:8443"
    assert found["authentication"]["audiences"][0] == "https://management.core.windows.net/"
    assert found["microsoftGraphResourceId"] == "https://127.0.0.1:8443/"


@pytest.mark.parametrize("tenant", [TENANT, TENANT.upper(), "organizations", "common"])
def test_authority_names_the_tenants_endpoints(cloud: Cloud, tenant: str) -> None:
    found = get(cloud, f"/{tenant}/v2.0/.well-known/openid-configuration").json()
    assert found["token_endpoint"] == f"https://127.0.0.1:8443/{TENANT}/oauth2/v2.0/token"
    assert found["issuer"] == f"https://127.0.0.1:8443/{TENANT}/v2.0"


def test_a_token_says_whose_it_is_and_how_long(cloud: Cloud) -> None:
    answer = post(cloud, FORM).json()
    now = int(cloud.clock.now().timestamp())
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3599)
    said = claims(answer["access_token"])
    assert (said["iat"], said["exp"]) == (now, now + 3599)
    assert (said["aud"], said["iss"]) == ("https://management.azure.com", f"https://127.0.0.1:8443/{TENANT}/")
    assert (said["appid"], said["tid"], said["idtyp"]) == ("one", TENANT, "app")


def test_a_client_is_the_same_principal_whatever_its_secret_and_another_is_not(cloud: Cloud) -> None:
    objects = [
        claims(signed_in(cloud, **form))["oid"]
        for form in ({}, {"client_secret": "other"}, {"client_id": "ONE"}, {"client_id": "two"})
    ]
    assert objects[0] == objects[1] == objects[2] != objects[3]


@pytest.mark.parametrize("client", ["simulator", OWNER_APPLICATION])
def test_the_owner_signs_in_by_name(cloud: Cloud, client: str) -> None:
    said = claims(signed_in(cloud, client_id=client))
    assert (said["oid"], said["appid"]) == (OWNER_OBJECT, OWNER_APPLICATION)


def test_arm_knows_who_signed_in(cloud: Cloud) -> None:
    token = signed_in(cloud)
    path = f"{GROUP}-of-one?api-version=2021-04-01"
    body = b'{"location": "eastus"}'
    assert cloud.arm.handle(Request("PUT", path, HERE | bearer(token), body)).status == 201
    assert cloud.arm.events[-1].payload("EventGridSchema")["data"]["claims"]["appid"] == "one"


def test_an_assertion_stands_for_a_secret(cloud: Cloud) -> None:
    form = {name: value for name, value in FORM.items() if name != "client_secret"}
    assert post(cloud, form | {"client_assertion": "a.b.c"}).status == 200


REFUSED: list[tuple[dict[str, str], int, str, int, str]] = [
    ({"client_secret": ""}, 401, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request'"),
    ({"client_id": ""}, 400, "invalid_request", 900144, "the following parameter: 'client_id'."),
    ({"scope": ""}, 400, "invalid_request", 900144, "the following parameter: 'scope'."),
    ({"grant_type": ""}, 400, "invalid_request", 900144, "the following parameter: 'grant_type'."),
    ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003, "unsupported grant type 'password'"),
    ({"scope": "https://management.azure.com/all"}, 400, "invalid_scope", 1002012, "/.default suffixed"),
]


@pytest.mark.parametrize(("form", "status", "error", "number", "text"), REFUSED)
def test_what_is_wrong_is_refused_in_the_words_of_entra_id(
    cloud: Cloud, form: dict[str, str], status: int, error: str, number: int, text: str
) -> None:
    answer = post(cloud, FORM | form)
    said = answer.json()
    assert (answer.status, said["error"], said["error_codes"]) == (status, error, [number])
    assert said["error_description"].startswith(f"AADSTS{number}: ")
    assert text in said["error_description"]
    assert "hidden" not in answer.body.decode()


def test_there_is_one_tenant(cloud: Cloud) -> None:
    other = "5e000000-0000-4000-8000-000000000009"
    for answer in (post(cloud, FORM, other), get(cloud, f"/{other}/v2.0/.well-known/openid-configuration")):
        assert (answer.status, answer.json()["error"], answer.json()["error_codes"]) == (400, "invalid_tenant", [90002])


def test_a_token_is_over_after_an_hour_of_the_simulators_clock(cloud: Cloud) -> None:
    token = signed_in(cloud)
    request = Request("GET", f"{GROUP}?api-version=2021-04-01", bearer(token))
    cloud.clock.advance(3598)
    assert cloud.arm.handle(request).status == 200
    cloud.clock.advance(1)
    answer = cloud.arm.handle(request)
    assert (answer.status, answer.json()["error"]["code"]) == (401, "ExpiredAuthenticationToken")
    assert answer.json()["error"]["message"] == (
        "The access token expiry UTC time '11/21/2026 10:59:59 AM' is earlier than current UTC time "
        "'11/21/2026 10:59:59 AM'."
    )
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert cloud.arm.handle(Request("GET", f"{GROUP}?api-version=2021-04-01", bearer(signed_in(cloud)))).status == 200


@pytest.mark.parametrize(("ends", "status"), [("null", 200), ('"soon"', 200), ("-1e300", 401), ("1e300", 200)])
def test_ends_that_are_none_do_no_harm(cloud: Cloud, ends: str, status: int) -> None:
    payload = base64.urlsafe_b64encode(f'{{"exp": {ends}}}'.encode()).decode().rstrip("=")
    assert (
        cloud.arm.handle(Request("GET", f"{GROUP}?api-version=2021-04-01", bearer(f"e30.{payload}."))).status == status
    )


def test_a_managed_identity_is_the_owner_or_the_one_that_is_named(cloud: Cloud) -> None:
    system = get(cloud, IDENTITY, X_IDENTITY_HEADER="hidden").json()
    assert (system["resource"], system["token_type"]) == ("https://management.azure.com/", "Bearer")
    said = claims(system["access_token"])
    assert (said["oid"], said["aud"]) == (OWNER_OBJECT, "https://management.azure.com/")
    assert system["expires_on"] == str(said["exp"])
    named = get(cloud, f"{IDENTITY}&client_id=one", X_IDENTITY_HEADER="hidden").json()
    assert claims(named["access_token"])["oid"] == claims(signed_in(cloud))["oid"]
    by_id = get(cloud, f"{IDENTITY}&mi_res_id={GROUP}/identity", X_IDENTITY_HEADER="hidden").json()
    assert claims(by_id["access_token"])["appid"] == f"{GROUP}/identity"


@pytest.mark.parametrize(
    ("target", "header", "status"),
    [
        (IDENTITY, "", 401),
        ("/msi/token?resource=https://management.azure.com/", "hidden", 400),
        ("/msi/token?api-version=2019-08-01", "hidden", 400),
        (f"{IDENTITY}&object_id=one", "hidden", 400),
    ],
)
def test_a_managed_identity_is_refused_to_who_asks_wrongly(cloud: Cloud, target: str, header: str, status: int) -> None:
    answer = get(cloud, target, X_IDENTITY_HEADER=header)
    assert (answer.status, answer.json()["statusCode"]) == (status, status)


def test_signing_in_is_logged_without_secrets_and_can_be_struck_by_faults() -> None:
    arm = Arm(ManualClock(), faults=[Fault(path="oauth2", status=503)])
    cloud = Cloud()
    cloud.arm = arm
    assert post(cloud, FORM).status == 503
    assert post(cloud, FORM).status == 200
    logged = arm.handle(Request("GET", "/simulator/requests"))
    path = f"/{TENANT}/oauth2/v2.0/token"
    assert [(line["path"], line["status"]) for line in logged.json()] == [(path, 503), (path, 200)]
    assert b"hidden" not in logged.body
