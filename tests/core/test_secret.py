"""References to secrets, texts that nobody may see, and what is told of a proxy whose address holds a password."""

import copy
import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governor.core import evidence
from governor.core.cluster import Cluster
from governor.core.estate import decode
from governor.core.secret import Concealed, Reference, hide, of_list, reference

VERSION = "0123456789abcdef0123456789ABCDEF"
REFERENCES: list[tuple[str, Reference | None]] = [
    ("@keyvault:kv-proxy/address", Reference("kv-proxy", "address")),
    (f"@keyvault:kv-proxy/address/{VERSION}", Reference("kv-proxy", "address", VERSION)),
    (
        "@keyvault:https://kv.vault.azure.cn/secrets/address",
        None,  # a vault's name has three characters at least
    ),
    (
        f"@keyvault:https://kv1.vault.azure.cn/secrets/a/{VERSION}",
        Reference("kv1", "a", VERSION, "vault.azure.cn"),
    ),
    ("@keyvault:address", None),
    ("@keyvault:kv-proxy/address/newest", None),
    ("@keyvault:kv.proxy/address", None),
    ("@keyvault:evil.example/../x", None),
    ("@keyvault:https://kv1.vault.azure.net.evil.example/secrets/a", None),
    ("@keyvault:https://kv1.evil.example/secrets/a", None),
    ("@keyvault:http://kv1.vault.azure.net/secrets/a", None),
    ("@keyvault:https://kv1.vault.azure.net/keys/a", None),
    ("@KeyVault:kv-proxy/address", None),
    ("kv-proxy/address", None),
]


@pytest.mark.parametrize(("text", "expected"), REFERENCES)
def test_a_reference_names_one_secret_and_nothing_else(text: str, expected: Reference | None) -> None:
    found = reference(text)
    assert found == expected
    if found is not None:
        assert found.named == text
        assert of_list(found.list_name) == found


def test_what_is_concealed_is_compared_and_never_shown_or_stored() -> None:
    one = Concealed("hunter2")
    assert (one == Concealed("hunter2"), one == Concealed("other"), one == "hunter2") == (True, False, False)
    assert "hunter2" not in f"{one} {one!r} {[one]}"
    for store in (msgspec.json.encode, msgspec.to_builtins, pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError) as refused:
            store(one)
        assert "hunter2" not in str(refused.value)


def test_a_cluster_that_was_read_shows_no_password() -> None:
    there = {"httpProxy": "http://u:hunter2@p:1", "trustedCa": "c2VjcmV0"}
    body = {"id": CLUSTER, "type": "x", "properties": {"httpProxyConfig": there}}
    fact = decode(msgspec.json.encode(body))
    assert isinstance(fact, Cluster)
    assert fact.proxy is not None
    assert fact.proxy.http_proxy == Concealed("http://u:hunter2@p:1")
    assert "hunter2" not in repr(fact)
    assert "c2VjcmV0" not in repr(fact)
    wrong = decode(msgspec.json.encode(body | {"properties": {"httpProxyConfig": {"httpProxy": 7}}}))
    assert "expected a text" in repr(wrong)


CLUSTER = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks"
MASKED: list[tuple[str, str]] = [
    ("http://proxy:3128", "http://proxy:3128"),
    ("http://proxy:3128/", "http://proxy:3128"),
    ("https://user:pa55@proxy.corp:3128/path?token=x", "https://proxy.corp:3128"),
    ("http://user:p@ss/wo#rd?@proxy:1", "http://proxy:1"),
    ("http://user:pass@[fd00::1]:3128", "http://[fd00::1]:3128"),
    ("http://proxy", "http://proxy"),
    ("proxy:3128", "***"),
    ("user:pa55", "***"),
    ("http://user:pa55@", "***"),
    ("http://user:pa55", "http://user"),
    ("", "***"),
]


@pytest.mark.parametrize(("address", "shown"), MASKED)
def test_of_a_proxy_its_scheme_host_and_port_are_shown(address: str, shown: str) -> None:
    assert evidence.masked(address) == shown
    body = msgspec.json.encode({"properties": {"httpProxyConfig": {"httpProxy": address, "httpsProxy": address}}})
    config = msgspec.json.decode(evidence.clean(body))["properties"]["httpProxyConfig"]
    assert config == {"httpProxy": shown, "httpsProxy": shown}


@given(st.text(st.characters(codec="utf-8", exclude_characters="*"), min_size=4, max_size=30))
def test_no_password_comes_through_whatever_is_in_it(password: str) -> None:
    address = f"http://squid:{password}@host.example:3128"
    said = f"cannot parse {address}, nor {password}"
    assert password not in hide(said, [Concealed(address)]) or password in "cannot parse , nor ***"
    kept = evidence.clean(msgspec.json.encode({"httpProxyConfig": {"httpsProxy": address, "trustedCa": password}}))
    assert kept == b'{"httpProxyConfig":{"httpsProxy":"http://host.example:3128","trustedCa":"***"}}'
