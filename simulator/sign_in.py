"""What is asked before ARM is: a request without a token in, endpoints, a token or Entra ID's refusal out.

The tokens are JWTs without a signature. Every client has the principal that follows from its id, whatever its secret:
secrets are neither kept nor compared.
"""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import msgspec

from simulator import errors
from simulator.identity import OWNER, OWNER_APPLICATION, TENANT, Principal, ends_at, object_id_of
from simulator.wire import Body, Request, Response, answer
from simulator.world import World

LIFE = timedelta(seconds=3599)
OWNER_CLIENTS = ("simulator", OWNER_APPLICATION)
SHARED = ("common", "organizations")
"""What clients that know no tenant ask for: az does when it signs out."""
AUDIENCES = ["https://management.core.windows.net/", "https://management.azure.com/"]
DEFAULT_SCOPE = "/.default"


def answered(world: World, request: Request, path: list[str]) -> Response | None:
    """A request and the segments of its path in, the answer out; None when it is for somebody else."""
    match request.method, path:
        case "GET", ["metadata", "endpoints"]:
            return answer(200, _endpoints(request.base))
        case "GET", [tenant, "v2.0", ".well-known", "openid-configuration"]:
            shared = tenant.lower() in SHARED
            return (None if shared else _no_tenant(world, request, tenant)) or answer(200, _configuration(request.base))
        case "POST", [tenant, "oauth2", "v2.0", "token"]:
            return _no_tenant(world, request, tenant) or _client_credentials(world, request)
        case "GET", ["msi", "token"]:
            return _managed_identity(world, request)
        case _:
            return None


def check_life(request: Request, now: datetime) -> None:
    """A request with a token in; ARM's 401 when it is a JWT whose time is over."""
    ends = ends_at(request)
    if ends is not None and ends <= now.timestamp():
        ended = _american(datetime.fromtimestamp(max(ends, 0), UTC))
        why = f"The access token expiry UTC time '{ended}' is earlier than current UTC time '{_american(now)}'."
        challenge = (
            f'Bearer authorization_uri="https://login.windows.net/", error="invalid_token", error_description="{why}"'
        )
        raise errors.gateway(401, "ExpiredAuthenticationToken", why, {"WWW-Authenticate": challenge})


def principal_for(client: str) -> Principal:
    """A client id in, who signs in with it out: the owner, or the same made-up object every time."""
    if client.lower() in OWNER_CLIENTS:
        return OWNER
    return Principal(object_id_of(client.lower()), client, TENANT)


def token_for(principal: Principal, audience: str, base: str, now: datetime) -> str:
    """A principal and what the token is for in, the token out."""
    begins, ends = int(now.timestamp()), int((now + LIFE).timestamp())
    said = {
        "aud": audience,
        "iss": f"{base}/{principal.tenant_id}/",
        "iat": begins,
        "nbf": begins,
        "exp": ends,
        "appid": principal.application_id,
        "idtyp": "app",
        "oid": principal.object_id,
        "sub": principal.object_id,
        "tid": principal.tenant_id,
        "ver": "1.0",
    }
    return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{_encoded(said)}."


def _endpoints(base: str) -> Body:
    """This simulator as a cloud: ARM, Entra ID and Microsoft Graph are here, so that no token leaves this machine."""
    return {
        "name": "Simulator",
        "resourceManager": base,
        "authentication": {
            "loginEndpoint": base,
            "audiences": AUDIENCES,
            "tenant": TENANT,
            "identityProvider": "AAD",
        },
        "portal": base,
        "gallery": base,
        "graphAudience": base,
        "microsoftGraphResourceId": f"{base}/",
        "media": base,
        "batch": base,
        "sqlManagement": base,
        "vmImageAliasDoc": base,
        "suffixes": {
            "storage": "core.windows.net",
            "keyVaultDns": "vault.azure.net",
            "sqlServerHostname": "database.windows.net",
            "acrLoginServer": "azurecr.io",
        },
    }


def _configuration(base: str) -> Body:
    authority = f"{base}/{TENANT}"
    return {
        "issuer": f"{authority}/v2.0",
        "token_endpoint": f"{authority}/oauth2/v2.0/token",
        "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{authority}/oauth2/v2.0/devicecode",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
    }


def _no_tenant(world: World, request: Request, tenant: str) -> Response | None:
    if tenant.lower() == TENANT:
        return None
    why = (
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant."
    )
    return _refused(world, request, 400, "invalid_tenant", (90002, why))


def _client_credentials(world: World, request: Request) -> Response:
    """A client's id and secret (or assertion) in, its token out."""
    form = dict(parse_qsl(request.body.decode(errors="replace")))
    grant = form.get("grant_type", "client_credentials")
    if grant != "client_credentials":
        why = f"The app requested an unsupported grant type '{grant}'."
        return _refused(world, request, 400, "unsupported_grant_type", (70003, why))
    for name in ("grant_type", "client_id", "scope"):
        if name not in form:
            why = f"The request body must contain the following parameter: '{name}'."
            return _refused(world, request, 400, "invalid_request", (900144, why))
    if "client_secret" not in form and "client_assertion" not in form:
        why = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."
        return _refused(world, request, 401, "invalid_client", (7000216, why))
    scope = form["scope"]
    if not scope.endswith(DEFAULT_SCOPE):
        why = (
            f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
            "/.default suffixed to the resource identifier (application ID URI)."
        )
        return _refused(world, request, 400, "invalid_scope", (1002012, why))
    principal = principal_for(form["client_id"])
    seconds = int(LIFE.total_seconds())
    token = token_for(principal, scope.removesuffix(DEFAULT_SCOPE), request.base, world.now())
    return answer(
        200, {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}
    )


def _managed_identity(world: World, request: Request) -> Response:
    """The endpoint of App Service and Functions: the owner, or the user-assigned identity that is named."""
    query = request.query
    if not request.header("X-IDENTITY-HEADER"):
        return _no_identity(world, 401, "The header X-IDENTITY-HEADER is required.")
    if query.get("api-version") != "2019-08-01" or not query.get("resource"):
        return _no_identity(world, 400, "The parameters api-version (2019-08-01) and resource are required.")
    if "object_id" in query or "principal_id" in query:
        return _no_identity(
            world, 400, "The simulator knows identities by client_id or mi_res_id, not by their object id."
        )
    principal = principal_for(query.get("client_id") or query.get("mi_res_id") or "simulator")
    now = world.now()
    return answer(
        200,
        {
            "access_token": token_for(principal, query["resource"], request.base, now),
            "client_id": principal.application_id,
            "expires_on": str(int((now + LIFE).timestamp())),
            "resource": query["resource"],
            "token_type": "Bearer",
        },
    )


def _no_identity(world: World, status: int, why: str) -> Response:
    return answer(status, {"statusCode": status, "message": why, "correlationId": world.guid()})


def _refused(world: World, request: Request, status: int, error: str, said: tuple[int, str]) -> Response:
    """Entra ID's refusal: an error of OAuth, with the number and text of its own."""
    number, why = said
    trace, correlation = world.guid(), request.header("client-request-id") or world.guid()
    when = f"{world.now():%Y-%m-%d %H:%M:%SZ}"
    description = f"AADSTS{number}: {why} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {when}"
    return answer(
        status,
        {
            "error": error,
            "error_description": description,
            "error_codes": [number],
            "timestamp": when,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"{request.base}/error?code={number}",
        },
    )


def _american(moment: datetime) -> str:
    """A time in, as ARM writes it into this text out: 5/14/2023 8:22:51 AM."""
    return f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"


def _encoded(said: Body) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(said)).decode().rstrip("=")
