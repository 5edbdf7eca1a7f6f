"""Environment variables in, Settings out; what is wrong is said all at once."""

from pathlib import Path

import pytest

from governor.settings import PREFIX, Settings, SettingsError

SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a"


def read(policies: Path, **given: str) -> Settings:
    needed = {"STORE": "sqlite:store", "POLICIES": str(policies)}
    return Settings.read({PREFIX + name: value for name, value in {**needed, **given}.items()})


@pytest.mark.parametrize(
    ("given", "scopes"),
    [
        ("", ()),
        (" , ", ()),
        (SUBSCRIPTION, (SUBSCRIPTION,)),
        (f"/subscriptions/{SUBSCRIPTION}, corp", (f"/subscriptions/{SUBSCRIPTION}", "corp")),
        (
            "/providers/Microsoft.Management/managementGroups/mg-1 ,a.(b)_c",
            ("/providers/Microsoft.Management/managementGroups/mg-1", "a.(b)_c"),
        ),
    ],
)
def test_scopes_are_subscriptions_and_management_groups(tmp_path: Path, given: str, scopes: tuple[str, ...]) -> None:
    assert read(tmp_path, SCOPES=given).scopes == scopes


@pytest.mark.parametrize(
    "given",
    [
        "*",
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg",
        "/subscriptions",
        "/subscriptions/x",
        "two words",
        "x" * 91,
    ],
)
def test_other_scopes_are_refused(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsError, match=r"EGRESS_GOVERNOR_SCOPES=.*: expected ids of subscriptions"):
        read(tmp_path, SCOPES=given)


CLUSTER = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks"
DIGEST = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4


@pytest.mark.parametrize(
    ("given", "tokens"),
    [
        ("", {}),
        (f"{CLUSTER}={DIGEST}", {DIGEST: CLUSTER}),
        (f" {CLUSTER}={DIGEST}, {CLUSTER}={OTHER} ,", {DIGEST: CLUSTER, OTHER: CLUSTER}),
    ],
)
def test_tokens_are_hashes_by_cluster(tmp_path: Path, given: str, tokens: dict[str, str]) -> None:
    assert read(tmp_path, ADMISSION_TOKENS=given).admission_tokens == tokens


@pytest.mark.parametrize(
    "given",
    [
        f"{CLUSTER}=a-token-by-mistake",
        f"{CLUSTER}={DIGEST.upper()}",
        f"{CLUSTER.rpartition('/')[0]}={DIGEST}",
        f"={DIGEST}",
        CLUSTER,
        f"{CLUSTER}={DIGEST},{CLUSTER}2={DIGEST}",
    ],
)
def test_other_tokens_are_refused_and_not_shown(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsError, match=r"ADMISSION_TOKENS='entry [12]': expected CLUSTER_ID=SHA256") as found:
        read(tmp_path, ADMISSION_TOKENS=given)
    assert "mistake" not in str(found.value)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as found:
        read(tmp_path / "none", STORE="here", MODE_CEILING="bold", CLOCK_SKEW_SECONDS="soon", SCOPES="*")
    assert [line.partition("=")[0] for line in str(found.value).splitlines()] == [
        PREFIX + name for name in ("STORE", "POLICIES", "MODE_CEILING", "CLOCK_SKEW_SECONDS", "SCOPES")
    ]


@pytest.mark.parametrize("seconds", ["\u00b2", "9" * 400, "1.2.3", "1e3", "-1"])
def test_a_difference_of_clocks_is_a_plain_number(tmp_path: Path, seconds: str) -> None:
    with pytest.raises(SettingsError, match="CLOCK_SKEW_SECONDS"):
        read(tmp_path, CLOCK_SKEW_SECONDS=seconds)


TOPIC = "https://told.westeurope-1.eventgrid.azure.net/api/events"


@pytest.mark.parametrize(
    ("given", "topic"),
    [
        ("", None),
        (TOPIC, TOPIC),
        (TOPIC.replace(".net", ".us"), TOPIC.replace(".net", ".us")),
        ("http://127.0.0.1:8443/topics/told/api/events", "http://127.0.0.1:8443/topics/told/api/events"),
    ],
)
def test_where_notices_go(tmp_path: Path, given: str, topic: str | None) -> None:
    assert read(tmp_path, NOTICES_TOPIC=given).notices_topic == topic


@pytest.mark.parametrize(
    "given",
    [
        "told",
        TOPIC.replace("https", "http"),
        "https://eventgrid.azure.net.example.com/api/events",
        "https://example.com/api/events",
        TOPIC.replace("told", "user@told"),
        f"{TOPIC}?code=secret",
        TOPIC.replace("/api", ":8443/api"),
        "ftp://127.0.0.1/topic",
    ],
)
def test_a_token_for_event_grid_goes_to_event_grid_alone(tmp_path: Path, given: str) -> None:
    with pytest.raises(SettingsError, match="EGRESS_GOVERNOR_NOTICES_TOPIC"):
        read(tmp_path, NOTICES_TOPIC=given)
