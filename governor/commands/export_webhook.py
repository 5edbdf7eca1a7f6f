"""`policies export webhook`: a folder of policy files in, the MutatingWebhookConfiguration of a cluster as YAML out."""

import base64
import secrets
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml
from msgspec import Struct
from rich.markup import escape

from governor.admission import hashed
from governor.commands import screen
from governor.commands.errors import CommandError
from governor.commands.policies import folder_of
from governor.core import ids
from governor.core.admission import SYSTEM_NAMESPACES
from governor.core.policy import Policies, Policy
from governor.policy_files import load
from governor.settings import PREFIX

_NAME: Final = "egress-governor"
# The Functions host may have to start first, and the API server waits for 30 seconds at most.
_SECONDS: Final = 10
_TOKEN_BYTES: Final = 32


class _Where(Struct, frozen=True):
    """Where the API server asks: at a URL, or at a Service of the cluster that leads there."""

    url: str
    service: str | None
    authority: bytes | None


def webhook(
    folder: Path | None = None,
    *,
    policy: str | None = None,
    cluster: str | None = None,
    url: str = "https://FUNCTION_APP.azurewebsites.net",
    service: str | None = None,
    ca_bundle: Path | None = None,
) -> int:
    """Write the MutatingWebhookConfiguration that lets a cluster ask about its Services of type LoadBalancer.

    Parameters
    ----------
    folder: Path
        Folder of policy files; without it, the one of the deployment.
    policy: str
        The policy that governs the cluster; needed where several differ in `servicesFailure`.
    cluster: str
        Id of the cluster: a token is made for it, and what the setting must hold of that is told on standard error.
    url: str
        The function app.
    service: str
        NAMESPACE/NAME of a Service in the cluster that leads to the function app, which the API server asks instead.
    ca_bundle: Path
        PEM file of the authority that the API server shall trust; without it, those it trusts anyway.
    """
    asking = _asking(load(folder_of(folder)), policy)
    if cluster is not None and ids.kind(cluster) != ids.CLUSTER:
        raise CommandError(f"--cluster {cluster}: expected the id of an AKS cluster")
    token = secrets.token_urlsafe(_TOKEN_BYTES) if cluster else "CLUSTER_TOKEN"
    asked = _Where(_checked(url), service, ca_bundle.read_bytes() if ca_bundle else None)
    names, failure = ", ".join(one.name for one in asking), asking[0].clusters.services_failure.capitalize()
    made = yaml.safe_dump(_configuration(failure, asked, f"/api/admission/{token}"), sort_keys=False)
    sys.stdout.write(f"# For a cluster governed by {names}. The last part of the path is a secret.\n{made}")
    if cluster:
        entry = escape(f"{cluster}={hashed(token)}")
        screen.err().print(f"add to {PREFIX}ADMISSION_TOKENS, with a comma before it: {entry}", soft_wrap=True)
    return 0


def _asking(policies: Policies, name: str | None) -> tuple[Policy, ...]:
    """The policy of that name, or all that have annotations for Services; what they say of failures is one thing."""
    found = [policy for policy in policies if (policy.name == name if name else policy.clusters.services)]
    if name and not found:
        known = ", ".join(policy.name for policy in policies)
        raise CommandError(f"--policy {name}: there is no such policy; expected one of {known}")
    if not found:
        raise CommandError("no policy has clusters.services, so there is nothing that a cluster could ask for")
    if len({policy.clusters.services_failure for policy in found}) > 1:
        which = ", ".join(f"{policy.name} {policy.clusters.services_failure}" for policy in found)
        raise CommandError(f"--policy: name the one that governs the cluster, servicesFailure differs: {which}")
    return tuple(found)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise CommandError(f"--url {url}: expected https://HOST, and no more than a path after it")
    return url.rstrip("/")


def _configuration(failure: str, asked: _Where, path: str) -> dict[str, Any]:
    """What to do without an answer, where to ask and the path there in, the object for Kubernetes out."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": _NAME},
        "webhooks": [
            {
                "name": "services.egress-governor.io",
                "clientConfig": _client(asked, path),
                "failurePolicy": failure,
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["services"],
                        "scope": "Namespaced",
                    }
                ],
                # The last two AKS adds to every webhook by itself: written here, they are no difference to what is.
                "namespaceSelector": {
                    "matchExpressions": [
                        {
                            "key": "kubernetes.io/metadata.name",
                            "operator": "NotIn",
                            "values": list(SYSTEM_NAMESPACES),
                        },
                        {"key": "control-plane", "operator": "NotIn", "values": ["true"]},
                        {"key": "kubernetes.azure.com/managedby", "operator": "NotIn", "values": ["aks"]},
                    ]
                },
                "matchConditions": [
                    {
                        "name": "load-balancers",
                        "expression": 'has(object.spec.type) && object.spec.type == "LoadBalancer"',
                    }
                ],
                "matchPolicy": "Equivalent",
                "reinvocationPolicy": "IfNeeded",
                "sideEffects": "None",
                "timeoutSeconds": _SECONDS,
                "admissionReviewVersions": ["v1"],
            }
        ],
    }


def _client(asked: _Where, path: str) -> dict[str, Any]:
    trusted = {"caBundle": base64.b64encode(asked.authority).decode()} if asked.authority else {}
    if asked.service is None:
        return {"url": asked.url + path, **trusted}
    namespace, slash, name = asked.service.partition("/")
    if not (namespace and slash and name):
        raise CommandError(f"--service {asked.service}: expected NAMESPACE/NAME")
    return {"service": {"namespace": namespace, "name": name, "path": path, "port": 443}, **trusted}
