"""What the deployment says: environment variables in, frozen Settings out, or all that is wrong at once."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from governor.core import ids
from governor.core.policy import Mode

PREFIX: Final = "EGRESS_GOVERNOR_"
CLOUDS: Final = {
    "public": "https://management.azure.com",
    "usgovernment": "https://management.usgovcloudapi.net",
    "china": "https://management.chinacloudapi.cn",
}
_GROUP: Final = re.compile(r"(/providers/Microsoft\.Management/managementGroups/)?[\w().-]{1,90}", re.IGNORECASE)
_SECONDS: Final = re.compile(r"[0-9]{1,5}(\.[0-9]{0,6})?")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_TOPICS: Final = (".eventgrid.azure.net", ".eventgrid.azure.us", ".eventgrid.azure.cn")
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class SettingsError(ValueError):
    """Every setting that is wrong, one line each."""


class Settings(Struct, frozen=True):
    """store: the folder of the embedded store. policies: a folder. skew: seconds between our clock and Azure's.

    scopes: subscriptions and management groups that a sweep looks through; none: all that the identity can read.
    notices_topic: the address of a custom topic of Event Grid; None: nobody is told, and notices wait in the ledger.
    admission_tokens: the SHA-256 of what a cluster's webhook shows -> the id of the cluster.
    authenticates: whether App Service signs callers in; it says so itself, and only then is a caller's name its word.
    """

    store: Path
    policies: Path
    mode_ceiling: Mode = Mode.AUDIT
    cloud: str = "public"
    arm_endpoint: str = CLOUDS["public"]
    ca_bundle: Path | None = None
    skew: float = 10.0
    scopes: tuple[str, ...] = ()
    admission_tokens: dict[str, str] = {}
    notices_topic: str | None = None
    authenticates: bool = False

    @property
    def loopback(self) -> bool:
        """Whether the endpoint is a simulator on this machine, which must never see a real token."""
        return urlsplit(self.arm_endpoint).hostname in _LOOPBACK

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """Environment variables in, Settings out; SettingsError names every one that is wrong."""
        wrong: list[str] = []

        def text(name: str, default: str) -> str:
            return environ.get(PREFIX + name, "").strip() or default

        def complain(name: str, value: str, expected: str) -> None:
            wrong.append(f"{PREFIX}{name}={value!r}: expected {expected}")

        store = text("STORE", "")
        if not store.startswith("sqlite:") or not store.removeprefix("sqlite:"):
            complain("STORE", store, "sqlite:DIR, the folder of the embedded store")
        policies = Path(text("POLICIES", "policies"))
        if not policies.is_dir():
            complain("POLICIES", str(policies), "a folder of policy files")
        ceiling = text("MODE_CEILING", Mode.AUDIT)
        if ceiling not in tuple(Mode):
            complain("MODE_CEILING", ceiling, "audit, propose or enforce")
        cloud = text("CLOUD", "public")
        if cloud not in CLOUDS:
            complain("CLOUD", cloud, ", ".join(CLOUDS))
        endpoint = text("ARM_ENDPOINT", CLOUDS.get(cloud, CLOUDS["public"])).rstrip("/")
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            complain("ARM_ENDPOINT", endpoint, "a URL such as https://management.azure.com")
        elif parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            complain("ARM_ENDPOINT", endpoint, "https; only a simulator on this machine may be http")
        bundle = text("CA_BUNDLE", "")
        if bundle and not Path(bundle).is_file():
            complain("CA_BUNDLE", bundle, "a file of certificates (PEM)")
        skew = text("CLOCK_SKEW_SECONDS", "10")
        if not _SECONDS.fullmatch(skew):
            complain("CLOCK_SKEW_SECONDS", skew, "a number of seconds, 0 or more")
        scopes = _parts(text("SCOPES", ""))
        if not all(_is_subscription(scope) or _GROUP.fullmatch(scope) for scope in scopes):
            complain("SCOPES", ", ".join(scopes), "ids of subscriptions and names of management groups, with commas")
        tokens: dict[str, str] = {}
        for number, entry in enumerate(_parts(text("ADMISSION_TOKENS", "")), 1):
            cluster, _, digest = entry.rpartition("=")
            if ids.kind(cluster) != ids.CLUSTER or not _SHA256.fullmatch(digest) or digest in tokens:
                # It may be a token itself, by mistake: the entry is counted, and not shown.
                complain("ADMISSION_TOKENS", f"entry {number}", "CLUSTER_ID=SHA256, each SHA256 once, with commas")
            tokens[digest] = cluster
        topic = text("NOTICES_TOPIC", "")
        if topic and not _is_topic(topic):
            complain("NOTICES_TOPIC", topic, "https://NAME.REGION-1.eventgrid.azure.net/api/events, or a simulator's")
        if wrong:
            raise SettingsError("\n".join(wrong))
        return cls(
            store=Path(store.removeprefix("sqlite:")),
            policies=policies,
            mode_ceiling=Mode(ceiling),
            cloud=cloud,
            arm_endpoint=endpoint,
            ca_bundle=Path(bundle) if bundle else None,
            skew=float(skew),
            scopes=scopes,
            admission_tokens=tokens,
            notices_topic=topic or None,
            authenticates=environ.get("WEBSITE_AUTH_ENABLED", "").strip().casefold() == "true",
        )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)


def _is_topic(url: str) -> bool:
    """A token for Event Grid goes to Event Grid alone."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.username is not None or parts.query:
        return False
    if host in _LOOPBACK:
        return parts.scheme in ("http", "https")
    return parts.scheme == "https" and parts.port is None and host.endswith(_TOPICS)


def _is_subscription(scope: str) -> bool:
    return ids.kind(scope) == ids.SUBSCRIPTION and ids.is_subscription(ids.name(scope))
