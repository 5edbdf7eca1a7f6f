"""What is kept of a body: nothing the server fills in, no secret, and all the rest."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.core.evidence import HIDDEN, clean, name, secretive


def cleaned(body: Any) -> Any:
    return json.loads(clean(json.dumps(body).encode()))


def test_what_the_server_fills_in_goes_at_any_depth() -> None:
    inner = {
        "etag": 'W/"1"',
        "provisioningState": "Succeeded",
        "resourceGuid": "g",
        "Etag": "2",
        "prefix": "10.0.0.0/8",
    }
    assert cleaned({"etag": "1", "subnets": [{"properties": inner}]}) == {
        "subnets": [{"properties": {"prefix": "10.0.0.0/8"}}]
    }


@pytest.mark.parametrize(
    "member",
    [
        *("password", "adminPassword", "sharedKey", "primary_key", "SAS", "sasToken", "clientSecret", "kubeConfigs"),
        *("AZURE_STORAGE_CONNECTION_STRING", "connectionString", "accessTokens", "customData", "protectedSettings"),
    ],
)
def test_secret_members(member: str) -> None:
    assert secretive(member)
    assert cleaned({"a": [{member: "hunter2"}]}) == {"a": [{member: HIDDEN}]}
    assert cleaned({member: {"x": ["hunter2", 7, True, None]}}) == {member: {"x": [HIDDEN, HIDDEN, True, None]}}


@pytest.mark.parametrize("member", ["addressPrefix", "monkey", "keyboard", "id", "tags", "tokenizer", "natGateway"])
def test_other_members(member: str) -> None:
    assert cleaned({member: "x"}) == {member: "x"}


def test_a_secret_that_is_named_by_a_value() -> None:
    body = [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "MODE", "value": "fast"}]
    assert cleaned(body) == [{"name": "DB_PASSWORD", "value": HIDDEN}, {"name": "MODE", "value": "fast"}]
    assert cleaned([{"key": "DB_PASSWORD", "value": "hunter2"}]) == [{"key": HIDDEN, "value": HIDDEN}]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("http://user:pa55@proxy.example:3128/", "http://***@proxy.example:3128/"),
        ("http://user:p@ss@proxy.example", "http://***@proxy.example"),
        ("see https://x.example/c?sv=1&sig=abc%3D&se=2 now", "see https://x.example/c?sv=1&sig=***&se=2 now"),
        ("https://f.example/api?code=abc", "https://f.example/api?code=***"),
        ("AccountName=n;AccountKey=abc==;EndpointSuffix=s", "AccountName=n;AccountKey=***;EndpointSuffix=s"),
        ("Endpoint=sb://x/;SharedAccessKey=abc=", "Endpoint=sb://x/;SharedAccessKey=***"),
        ("Server=s;Password = abc;Database=d", "Server=s;Password = ***;Database=d"),
        ("the password: abc, and more", "the password: ***, and more"),
        ("Password = 'a b'; next", "Password = ***; next"),
        ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln now", "Bearer *** now"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIab\n-----END RSA PRIVATE KEY----- x", "*** x"),
        ("-----BEGIN PRIVATE KEY-----\nMIIab", "***"),
        ("resource key: 5", "resource key: 5"),
        ("https://proxy.example:3128/path@version", "https://proxy.example:3128/path@version"),
        ("/subscriptions/1/resourceGroups/a=b", "/subscriptions/1/resourceGroups/a=b"),
        ("somebody@example.com", "somebody@example.com"),
        ("it failed with code=409", "it failed with code=409"),
    ],
)
def test_secrets_in_texts(text: str, kept: str) -> None:
    assert cleaned({"a": [text]}) == {"a": [kept]}
    assert clean(b"raw " + text.encode()) == b"raw " + kept.encode()


def test_equal_bodies_have_one_name() -> None:
    one, two = clean(b'{"a": 1, "b": {"c": 2, "d": "\xc3\xab"}}'), clean(b'{"b":{"d":"\\u00eb","c":2},"a":1,"etag":3}')
    assert one == two
    assert name(one) == name(two)
    assert len(name(one)) == 64
    assert name(clean(b'{"a": 2}')) != name(clean(b'{"a": 1}'))


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"not json", b"[" * 100_000])
def test_what_is_no_json_is_kept_as_text(raw: bytes) -> None:
    assert clean(raw) == raw.decode("utf-8", "replace").encode()


@pytest.mark.parametrize(
    "piece",
    ["a-", "key", "key=", "://", "://a@", "?sig=", "a =", "eyJ-", "eyJaaaaaa.", "-----BEGIN ", "password:", "pwd: '"],
)
def test_no_text_takes_long(piece: str) -> None:
    text = (piece * 64_000)[:64_000].encode()
    began = time.perf_counter()
    clean(text)
    assert time.perf_counter() - began < 5


SECRET = st.text("abcdefghijklmnop", min_size=20, max_size=30)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("xyz./", max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("x", "y", "z")), inner, max_size=3),
    max_leaves=10,
)


@given(body=PLAIN)
def test_what_is_neither_stays(body: Any) -> None:
    assert cleaned(body) == body
    assert clean(clean(json.dumps(body).encode())) == clean(json.dumps(body).encode())


@given(body=PLAIN, secret=SECRET)
def test_a_secret_never_survives(body: Any, secret: str) -> None:
    hidden = {"x": [body, {"sharedKey": {"value": secret}}], "y": f"https://u:{secret}@h/?sig={secret}"}
    assert secret.encode() not in clean(json.dumps(hidden).encode())
