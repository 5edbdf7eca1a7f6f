"""What people do to the simulated Azure: a request in, ARM's answer out. The governor itself uses Azure's SDK."""

import base64
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from governor.commands.errors import CommandError

NETWORK_API: Final = "2024-05-01"
EVENT_GRID_API: Final = "2025-02-15"
_TIMEOUT_SECONDS: Final = 20


class SimulatedArm:
    """url: where it listens. person: in whose name it is asked, as a token that only the simulator takes."""

    def __init__(self, url: str, authority: Path, person: str = "alice@contoso.com") -> None:
        self.url = url
        self._context = ssl.create_default_context(cafile=str(authority))
        self._token = _token(person)

    def put(self, resource_id: str, body: dict[str, Any], api_version: str = NETWORK_API) -> int:
        """An id and a body in, the status of the write out."""
        return self._ask("PUT", f"{resource_id}?api-version={api_version}", body)[0]

    def delete(self, resource_id: str, api_version: str = NETWORK_API) -> int:
        """An id in, the status of the delete out."""
        return self._ask("DELETE", f"{resource_id}?api-version={api_version}")[0]

    def get(self, resource_id: str, api_version: str = NETWORK_API) -> dict[str, Any]:
        """An id in, the body of the resource out."""
        found: dict[str, Any] = self._ask("GET", f"{resource_id}?api-version={api_version}")[1]
        return found

    def estate(self) -> bytes:
        """Everything that exists, as a file for `--estate` has it."""
        return json.dumps(self._ask("GET", "/simulator/estate")[1]).encode()

    def subscribe(self, subscription: str, endpoint: str) -> None:
        """A subscription and an endpoint in; from now on its events go there."""
        resource_id = f"/subscriptions/{subscription}/providers/Microsoft.EventGrid/eventSubscriptions/egress-governor"
        kinds = ["Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources.ResourceDeleteSuccess"]
        properties = {
            "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": endpoint}},
            "filter": {"includedEventTypes": kinds},
            "eventDeliverySchema": "EventGridSchema",
        }
        self.put(resource_id, {"properties": properties}, EVENT_GRID_API)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS, context=self._context) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:300]
            raise CommandError(
                f"the simulator refused {method} {path.partition('?')[0]}: {error.code} {said}"
            ) from error
        except OSError as error:
            raise CommandError(f"the simulator at {self.url} does not answer: {error}") from error


def _token(person: str) -> str:
    """A name in, an unsigned token of that person out: events then say who wrote, as Azure's do."""
    claims = {"oid": "a11ce000-0000-4000-8000-000000000001", "appid": "a11ce000-0000-4000-8000-000000000002"}
    parts = ({"alg": "none"}, {**claims, "name": person, "idtyp": "user"})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "x"]
    )
