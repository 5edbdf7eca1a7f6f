"""Files of policies: every kind of mistake with its file, line and path; inheritance; the schema; what is shipped."""

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governor.core.policy import Mode, PathKind, Policies, Policy
from governor.core.policy_words import Term
from governor.policy_files import PolicyError, PolicyErrors, load, load_cases, schema

PIP = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/p"
EXEMPTION = "resource: '*', requirement: subnet-egress, owner: a, reason: b, until: 2027-03-31"


def folder(tmp_path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def wrong(tmp_path: Path, files: dict[str, str]) -> list[tuple[str, int, str, str]]:
    with pytest.raises(PolicyErrors) as raised:
        load(folder(tmp_path, files))
    return [(e.file, e.line, e.path, e.message) for e in raised.value.errors]


# What a file says; the line and the path of the only error, and words of its message.
MISTAKES: list[tuple[str, int, str, str]] = [
    ("name: a\nlimits: {settleSeconds: 1000001}", 2, "limits.settleSeconds", "1000000"),
    # YAML
    ("name: a\nmode: [", 2, "", "not YAML"),
    ("name: a\n\tmode: audit", 2, "", "not YAML"),
    ("name: a\nmode: audit\nmode: enforce", 3, "mode", "given twice, first in line 2"),
    ("name: a\nselect: &x\n  tags: *x", 2, "", "without end"),
    ("name: a\nmode: !secret x", 2, "mode", "tag '!secret' is not part of the language"),
    ("name: a\n? [b]\n: c", 2, "", "a key must be text"),
    ("name: a\nmode: *nobody", 2, "", "undefined alias"),
    ("name: a\npriority: 12345678901234567890", 2, "priority", "not a number that can be used"),
    ('name: a\ndescription: "\\ud800"', 2, "description", "half of a character"),
    ("name: a\ndescription: '\x07'", 2, "", "is not allowed"),
    # Shape
    ("- a", 1, "", "expected keys with values, found a list"),
    ("just text", 1, "", "expected keys with values, found 'just text'"),
    ("mode: audit", 1, "", "'name' is missing"),
    ("name: Corp Spokes", 1, "name", "kebab-case like corp-spokes"),
    ("name: " + "a" * 64, 1, "name", "at most 63 characters, found 64"),
    ("name: 7", 1, "name", "expected text, found 7 (text needs quotes)"),
    ("name: a\nmodee: audit", 2, "modee", "unknown key; did you mean mode?"),
    ("name: a\negress:\n  xyzzy: 1", 3, "egress.xyzzy", "unknown key; expected allow, "),
    ("name: a\nmode: enforced", 2, "mode", "found 'enforced'; did you mean enforce?"),
    ("name: a\nmode: on", 2, "mode", "found 'on'; expected audit, enforce or propose"),
    ("name: a\nmode: 5", 2, "mode", "expected audit, enforce or propose, found 5"),
    ("name: a\nmode:", 2, "mode", "found nothing"),
    ("name: a\nselect:\n  regions: westeurope", 3, "select.regions", "expected a list, found 'westeurope'"),
    ("name: a\nselect:\n  regions:\n    - 5", 4, "select.regions[0]", "expected text, found 5"),
    ("name: a\nselect: {tags: {env: 5}}", 2, "select.tags.env", "expected a list or text, found 5"),
    ("name: a\nselect: {tags: {env: [5]}}", 2, "select.tags.env[0]", "expected text, found 5"),
    ("name: a\nselect:\n  occupants: [vm]", 3, "select.occupants[0]", "found 'vm'; expected app, "),
    ("name: a\nlimits: {perHour: many}", 2, "limits.perHour", "expected a whole number, found 'many'"),
    ("name: a\nlimits: {perHour: true}", 2, "limits.perHour", "expected a whole number, found true"),
    ("name: a\nlimits: {perHour: -1}", 2, "limits.perHour", "expected at least 0, found -1"),
    (
        "name: a\nlimits: {percentOfSubscription: {limit: 101}}",
        2,
        "limits.percentOfSubscription.limit",
        "expected at most 100, found 101",
    ),
    ("name: a\npublicIps:\n  delete: yes", 3, "publicIps.delete", "expected true or false, found 'yes'"),
    ("name: a\negress:\n  natGateway: true", 3, "egress.natGateway", "expected keys with values, found true"),
    (
        "name: a\negress:\n  natGateway:\n    publicIpPrefixLength: 20",
        4,
        "egress.natGateway.publicIpPrefixLength",
        "expected at least 28, found 20",
    ),
    ("name: a\negress: {natGateway: {zones: [4]}}", 2, "egress.natGateway.zones[0]", "expected 1, 2 or 3"),
    ("name: a\negress: {natGateway: {zones: all}}", 2, "egress.natGateway.zones", "expected none or perZone"),
    ("name: a\nexemptions:\n  - {resource: '*'}", 3, "exemptions[0]", "the key 'owner' is missing"),
    (
        "name: a\nexemptions:\n  - {" + EXEMPTION.replace("subnet-egress", "subnet-egres") + "}",
        3,
        "exemptions[0].requirement",
        "did you mean subnet-egress?",
    ),
    (
        "name: a\nexemptions:\n  - {" + EXEMPTION.replace("-31", "-32") + "}",
        3,
        "exemptions[0].until",
        "expected a date like 2027-03-31, found '2027-03-32'",
    ),
    (
        "name: a\nexemptions:\n  - {" + EXEMPTION.replace("owner: a", "owner: ''") + "}",
        3,
        "exemptions[0].owner",
        "must not be empty",
    ),
    ("name: a\ncontrols:\n  subnet-exit: [NS-3]", 3, "controls.subnet-exit", "unknown name; did you mean"),
    ("name: a\npriority: 1.0", 1, "", "Expected `int`, got `float`"),
    # Contradictions
    ("name: a\negress:\n  natGateway: {}\n  isolated: {}", 4, "egress.isolated", "found natGateway and isolated"),
    ("name: a\negress:\n  isolated: {}\n  allow: [hub]", 4, "egress.allow", "would build isolated"),
    (
        "name: a\nselect:\n  regions:\n    - westeurope\n    - neu\negress: {hub: {nextHop: {westeurope: 10.0.0.4}}}",
        5,
        "select.regions[1]",
        "neu has neither a nextHop nor a firewall",
    ),
    ("name: a\negress:\n  hub: {ready: assumed}", 3, "egress.hub", "in at least one region"),
    (
        "name: a\negress:\n  hub:\n    nextHop: {westeurope: 10.0.0.400}",
        4,
        "egress.hub.nextHop.westeurope",
        "expected a private address like 10.0.0.4, found '10.0.0.400'",
    ),
    (
        "name: a\negress:\n  hub:\n    nextHop: {West Europe: 10.0.0.4}",
        4,
        "egress.hub.nextHop.West Europe",
        "expected a region like westeurope",
    ),
    (
        f"name: a\negress:\n  hub:\n    firewall: {{westeurope: {PIP}}}",
        4,
        "egress.hub.firewall.westeurope",
        "expected the id of an Azure Firewall",
    ),
    (
        "name: a\negress:\n  hub:\n    virtualWan: connect\n    hubVirtualNetwork: {westeurope: hub}",
        5,
        "egress.hub.hubVirtualNetwork.westeurope",
        "expected the id of a VNet",
    ),
    (
        "name: a\negress:\n  hub:\n    nextHop: {x: 10.0.0.4}\n    routes: [{prefix: 0.0.0.0/0, nextHop: hub}]",
        5,
        "egress.hub.routes[0].prefix",
        "what the hub itself is about",
    ),
    (
        "name: a\negress:\n  hub:\n    nextHop: {westeurope: 10.0.0.4}\n    bypass: {allow: [10.0.0.1/8]}",
        5,
        "egress.hub.bypass.allow[0]",
        "expected a prefix like 10.0.0.0/8 or a service tag",
    ),
    (
        "name: a\negress:\n  natGateway:\n    publicIps: 1\n    publicIpPrefixLength: 30",
        5,
        "egress.natGateway.publicIpPrefixLength",
        "found publicIps and publicIpPrefixLength",
    ),
    (
        f"name: a\negress:\n  natGateway:\n    publicIps: 2\n    existing: [{PIP}]",
        5,
        "egress.natGateway.existing",
        "found publicIps and existing",
    ),
    (
        f"name: a\negress:\n  natGateway:\n    existing:\n      - {PIP}\n      - pip-1",
        6,
        "egress.natGateway.existing[1]",
        "expected the id of a public IP address or prefix, found 'pip-1'",
    ),
    ("name: a\negress: {natGateway: {publicIps: 0}}", 2, "egress.natGateway.publicIps", "at least one public address"),
    ("name: a\negress: {natGateway: {zones: perZone}}", 2, "egress.natGateway.zones", "zones need `sku: Standard`"),
    ("name: a\negress: {natGateway: {name: 'ng-{vnet}'}}", 2, "egress.natGateway.name", "there is no field {vnet}"),
    ("name: a\negress: {natGateway: {name: 'ng-{subnet'}}", 2, "egress.natGateway.name", "without its other half"),
    (
        "name: a\negress:\n  hub:\n    nextHop: {x: 10.0.0.4}\n    routeTable:\n      resourceGroup: '{zone}'",
        6,
        "egress.hub.routeTable.resourceGroup",
        "there is no field {zone}",
    ),
    ("name: a\negress:\n  proxy: {noProxy: [x]}", 3, "egress.proxy", "needs `https`, `http` or both"),
    *(
        (f"name: a\negress:\n  proxy:\n    noProxy: [a]\n    {key}: {value}", 5, f"egress.proxy.{path}", said)
        for key, value, path, said in (
            (
                "https",
                "'http://user:hunter2@proxy:3128'",
                "https",
                "use a Key Vault reference for an address with user",
            ),
            ("https", "'@keyvault:address'", "https", "expected @keyvault:VAULT/NAME or @keyvault:https://VAULT"),
            ("https", "proxy:3128", "https", "expected http(s)://HOST:PORT, or a Key Vault reference"),
            ("https", "'http://proxy/?token=hunter2'", "https", "expected http(s)://HOST:PORT, or a Key Vault"),
            ("http", "https://proxy:3128", "http", "the scheme of `http` must be http"),
        )
    ),
    *(
        (f"name: a\negress:\n  proxy:\n    http: http://p\n    {line}", 5, f"egress.proxy.{path}", said)
        for line, path, said in (
            ("trustedCa: hunter2", "trustedCa", "expected a Key Vault reference"),
            ("noProxy: [10.0.0.0/8, '*.x']", "noProxy[1]", "without *"),
            ("noProxy: ['a, b']", "noProxy[0]", "found 'a, b'"),
            ("proxyHost: snet", "proxyHost", "the id of a subnet"),
        )
    ),
    ("name: a\nlimits:\n  freeze:\n    - always", 4, "limits.freeze[0]", "'always' is not a window (expected"),
    ("name: a\napprovals:\n  window: Sat 22:00-04:00 Mars", 3, "approvals.window", "'Mars' is not a time zone"),
    (
        "name: a\nexemptions:\n  - {" + EXEMPTION.replace("'*'", "snet-a") + "}",
        3,
        "exemptions[0].resource",
        "found 'snet-a'",
    ),
    ("name: a\npublicIps:\n  allow:\n    - names: []", 4, "publicIps.allow[0]", "would allow every address"),
    (
        "name: a\nclusters:\n  services:\n    - {annotations: {'a b': x}}",
        4,
        "clusters.services[0].annotations.a b",
        "expected a name as Kubernetes takes it, like example.com/name, found 'a b'",
    ),
    (
        "name: a\nclusters:\n  services:\n    - {annotations: {a: x}, selector: {Example.com/b: x}}",
        4,
        "clusters.services[0].selector.Example.com/b",
        "found 'Example.com/b'",
    ),
    (
        "name: a\nclusters:\n  services:\n    - {annotations: {a: x}, selector: {b: a b}}",
        4,
        "clusters.services[0].selector.b",
        "no Service can have this label: 'a b'",
    ),
    (
        "name: a\nclusters:\n  services:\n    - {annotations: {}}",
        4,
        "clusters.services[0].annotations",
        "a rule without annotations puts nothing",
    ),
    ("name: a\ntenant: {perHour: 3}", 2, "tenant", "belongs into defaults.yaml"),
    ("name: a\n---\nname: b\n---\nname: a", 5, "name", "another policy has the name 'a': one.yaml:1"),
]


@pytest.mark.parametrize(
    ("ways", "kind", "fits"),
    [
        ("natGateway: {}", "loadBalancer", False),
        ("natGateway: {}", "userDefinedRouting", False),
        ("natGateway: {}", "userAssignedNATGateway", True),
        ("natGateway: {}", "managedNATGateway", True),
        ("natGateway: {}", "none", True),
        ("natGateway: {}, allow: [natGateway, loadBalancer]", "loadBalancer", True),
        ("isolated: {}", "loadBalancer", False),
        ("isolated: {}", "block", True),
        ("allow: [onPremises]", "userDefinedRouting", True),
        ("allow: [proxy]", "userDefinedRouting", True),
    ],
)
def test_a_type_of_clusters_belongs_to_an_allowed_way_out(tmp_path: Path, ways: str, kind: str, fits: bool) -> None:
    files = {"one.yaml": f"name: a\negress: {{{ways}}}\nclusters: {{outboundType: {kind}}}"}
    if fits:
        load(folder(tmp_path, files))
        return
    ((_, line, path, words),) = (error[:4] for error in wrong(tmp_path, files))
    assert (line, path) == (3, "clusters.outboundType")
    assert f"{kind} belongs to none of the ways out" in words


@pytest.mark.parametrize(("text", "line", "path", "words"), MISTAKES, ids=[f"{m[2]} {m[3]}" for m in MISTAKES])
def test_mistakes(tmp_path: Path, text: str, line: int, path: str, words: str) -> None:
    found = wrong(tmp_path, {"one.yaml": text})
    assert ("one.yaml", line, path) in [error[:3] for error in found], found
    assert words in next(error[3] for error in found if error[:3] == ("one.yaml", line, path))
    assert len(found) == (3 if "'owner' is missing" in words else 1) + ("'*'}" in text), found


DEFAULT_MISTAKES = [
    ("name: a", 1, "name", "defaults have no name"),
    ("mode: audit\n---\nmode: audit", 3, "", "only one document of defaults"),
    ("rings:\n  - {rest: true}\n  - {subscriptions: [a]}", 2, "rings[0].rest", "must be the last one"),
    ("rings:\n  - {soakHours: 3}", 2, "rings[0]", "or is the `rest`"),
    ("rings:\n  - {rest: true, subscriptions: [a]}", 2, "rings[0]", "or is the `rest`"),
    ("tenant:\n  perHours: 3", 2, "tenant.perHours", "did you mean perHour?"),
    ("exemptionTags: {maxDays: 0}", 1, "exemptionTags.maxDays", "expected at least 1, found 0"),
    ("limits:\n  freeze: [x]", 2, "limits.freeze[0]", "is not a window"),
]


@pytest.mark.parametrize(("text", "line", "path", "words"), DEFAULT_MISTAKES)
def test_mistakes_in_the_defaults(tmp_path: Path, text: str, line: int, path: str, words: str) -> None:
    """Also a contradiction that every policy inherits is told once, where it stands."""
    found = wrong(tmp_path, {"defaults.yaml": text, "one.yaml": "name: a\n---\nname: b"})
    assert [error[:3] for error in found] == [("defaults.yaml", line, path)]
    assert words in found[0][3]


def test_a_policy_that_contradicts_what_it_inherits(tmp_path: Path) -> None:
    found = wrong(
        tmp_path, {"defaults.yaml": "egress: {allow: [hub]}", "one.yaml": "name: a\negress: {natGateway: {}}"}
    )
    assert [error[:3] for error in found] == [("defaults.yaml", 1, "egress.allow")]


def test_all_errors_are_told_at_once(tmp_path: Path) -> None:
    files = {
        "a.yaml": "name: a\nmodee: x\negress: {hub: {}, isolated: {route: nowhere}}",
        "b.yaml": "name: b\negress:\n  hub: {}\n  isolated: {}",
        "c.yaml": "name: [",
        "d.yml": "name: d",
        "defaults.yaml": "tenant: 5",
        "x.cases.yaml": "not even read",
    }
    with pytest.raises(PolicyErrors) as raised:
        load(folder(tmp_path, files))
    assert [(e.file, e.line, e.path) for e in raised.value.errors] == [
        ("a.yaml", 2, "modee"),
        ("a.yaml", 3, "egress.isolated.route"),
        ("b.yaml", 3, "egress.hub"),
        ("b.yaml", 4, "egress.isolated"),
        ("c.yaml", 1, ""),
        ("d.yml", 1, ""),
        ("defaults.yaml", 1, "tenant"),
    ]
    assert str(raised.value).splitlines() == [str(error) for error in raised.value.errors]
    assert str(raised.value.errors[0]).startswith("a.yaml:2: modee: unknown key")


def test_folders_without_policies(tmp_path: Path) -> None:
    with pytest.raises(PolicyErrors, match="no policy in this folder"):
        load(tmp_path)
    with pytest.raises(PolicyErrors, match="expected a folder"):
        load(tmp_path / "nowhere")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"name: a\ndescription: \xff")
    with pytest.raises(PolicyErrors, match=r"a\.yaml:2: not text in UTF-8"):
        load(tmp_path)


def only(tmp_path: Path, policy: str, defaults: str = "") -> Policy:
    (one,) = load(folder(tmp_path, {"one.yaml": policy, "defaults.yaml": defaults}))
    return one


def test_defaults_are_inherited_key_by_key(tmp_path: Path) -> None:
    defaults = "mode: propose\nlimits: {perHour: 7, freeze: [2026-12-20 - 2027-01-04]}\nselect: {regions: [a, b]}"
    one = only(tmp_path, "name: a\nlimits: {remediationsPerRun: 3}\nselect: {regions: [c]}", defaults)
    assert one.mode is Mode.PROPOSE
    assert (one.limits.per_hour, one.limits.remediations_per_run, one.limits.stop_after_failures) == (7, 3, 3)
    assert one.limits.freeze == ("2026-12-20 - 2027-01-04",)
    assert one.select.regions == ("c",)


def test_a_policy_with_a_block_of_its_own_does_not_inherit_another(tmp_path: Path) -> None:
    defaults = "egress: {natGateway: {publicIps: 2, sku: Standard}, replace: propose}"
    one = only(tmp_path, "name: a\negress: {isolated: {}}", defaults)
    assert (one.builds, one.egress.nat_gateway, one.egress.replace) == (PathKind.ISOLATED, None, "propose")


def test_a_policy_with_addresses_of_its_own_does_not_inherit_others(tmp_path: Path) -> None:
    defaults = "egress: {natGateway: {publicIps: 2, sku: Standard}}"
    gateway = only(tmp_path, "name: a\negress: {natGateway: {publicIpPrefixLength: 30}}", defaults).egress.nat_gateway
    assert gateway is not None
    assert (gateway.public_ips, gateway.public_ip_prefix_length, gateway.sku) == (0, 30, "Standard")


def test_a_block_is_given_up_with_null(tmp_path: Path) -> None:
    one = only(tmp_path, "name: a\negress: {natGateway: null, allow: [loadBalancer]}", "egress: {natGateway: {}}")
    assert (one.builds, one.allowed) == (None, (PathKind.LOAD_BALANCER,))


def test_delegations_add_to_the_built_in_ones(tmp_path: Path) -> None:
    text = "name: a\negress: {delegations: {Microsoft.Web/serverFarms: [], Microsoft.App/environments: [natGateway]}}"
    assert only(tmp_path, text).egress.delegations == {
        "Microsoft.Web/serverFarms": (),
        "Microsoft.ContainerInstance/containerGroups": (PathKind.NAT_GATEWAY,),
        "Microsoft.Databricks/workspaces": (PathKind.NAT_GATEWAY,),
        "Microsoft.App/environments": (PathKind.NAT_GATEWAY,),
    }


def test_words_mean_what_people_mean(tmp_path: Path) -> None:
    """`off`, `no`, times and dates are text in YAML 1.2; anchors are fine."""
    text = (
        "name: a\ningress: {ddos: off}\n"
        "select: {tags: &t {egress: no, since: 2026-01-01, at: 22:00}, except: {tags: *t}}\n"
        f"exemptions: [{{{EXEMPTION}}}]"
    )
    one = only(tmp_path, text)
    assert one.ingress.ddos == "off"
    assert one.select.tags == {"egress": ("no",), "since": ("2026-01-01",), "at": ("22:00",)}
    assert one.select.except_.tags == one.select.tags
    assert one.exemptions[0].until == date(2027, 3, 31)


def test_files_and_formatting_do_not_change_the_digest(tmp_path: Path) -> None:
    several = folder(tmp_path, {"x.yaml": "{name: a, limits: {monthlyCost: 5.0}}\n---\nname: b", "y.yaml": "name: c"})
    one = load(several)
    (several / "x.yaml").write_text("# a comment\nname: c")
    (several / "y.yaml").write_text("name: b\n---\n\n---\nmode: audit\nlimits:\n  monthlyCost: 5\nname: 'a'\n")
    assert load(several) == one
    assert load(several).digest == one.digest


# Arbitrary text, text that looks like YAML, and values of the wrong kind in the right places.
WORDS = st.sampled_from([*"-:[]{}&*!|>'\"#%@`,?~ \n\t", "name: ", "a", "\n- ", "---\n", "egress: ", "5", "\\x", '"\\U'])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*schema()["properties"], "natGateway", "hub", "tags", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
TEXTS = st.text(max_size=60) | st.lists(WORDS, max_size=30).map("".join) | VALUES.map(json.dumps)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(TEXTS, TEXTS)
def test_no_text_breaks_the_reading(tmp_path: Path, policy: str, defaults: str) -> None:
    for file, text in (("a.yaml", policy), ("defaults.yaml", defaults), ("a.cases.yaml", policy)):
        (tmp_path / file).write_bytes(text.encode("utf-8", "surrogatepass"))
    for read in (load, load_cases):
        errors = told(read, tmp_path)
        assert all(error.line >= 1 and error.message for error in errors)


def told(read: Callable[[Path], object], where: Path) -> tuple[PolicyError, ...]:
    try:
        read(where)
    except PolicyErrors as wrong:
        return wrong.errors
    return ()


@pytest.mark.parametrize("text", ["[" * 5000, "a: " * 3000, "- " * 3000, '"\\UFFFFFFFF"', "{" * 2000])
def test_hostile_text(tmp_path: Path, text: str) -> None:
    assert wrong(tmp_path, {"a.yaml": text})


def test_aliases_of_aliases_end(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "without end" in wrong(tmp_path, {"a.yaml": "\n".join(lines)})[0][3]


@pytest.mark.parametrize("given", ["https: 'http://u:hunter2@p:1'", "https: http://p/hunter2", "trustedCa: hunter2"])
def test_what_may_be_a_password_is_not_repeated(tmp_path: Path, given: str) -> None:
    files = {"a.yaml": f"name: a\negress:\n  proxy:\n    http: http://p\n    {given}"}
    with pytest.raises(PolicyErrors) as wrong:
        load(folder(tmp_path, files))
    assert "hunter2" not in str(wrong.value)


def test_the_committed_schema_is_current(checkout: Path) -> None:
    assert json.loads((checkout / "policies/schema.json").read_text()) == schema()
    jsonschema.Draft202012Validator.check_schema(schema())


def test_the_schema_describes_every_key() -> None:
    blocks = [schema(), *schema()["$defs"].values()]
    keys = [key for block in blocks for key in block.get("properties", {}).items()]
    assert len(keys) > 100
    assert [name for name, key in keys if not key.get("description")] == []


SHIPPED = ("policies", "policies/examples")


@pytest.mark.parametrize("where", SHIPPED)
def test_what_is_shipped_loads_and_names_its_schema(checkout: Path, where: str) -> None:
    assert load(checkout / where).policies
    for file in sorted((checkout / where).glob("*.yaml")):
        if not file.name.endswith(".cases.yaml"):
            first = file.read_text().splitlines()[0]
            named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
            assert named, f"{file.name} does not name its schema"
            assert (file.parent / named[1]).resolve() == checkout / "policies" / "schema.json"


def given_keys(value: Any, path: str = "") -> set[str]:
    """Every key of plain values, with the keys it stands under; positions in lists are left out."""
    if isinstance(value, list):
        return set().union(*(given_keys(item, path) for item in value))
    if not isinstance(value, dict):
        return set()
    inner = (given_keys(item, f"{path}.{key}") for key, item in value.items())
    return {f"{path}.{key}" for key in value}.union(*inner)


def test_the_example_holds_every_key_of_the_language(checkout: Path) -> None:
    import yaml

    texts = [(checkout / "policies/examples" / name).read_text() for name in ("everything.yaml", "defaults.yaml")]
    written = set().union(*(given_keys(document) for text in texts for document in yaml.safe_load_all(text)))
    leaves = {key.rpartition(".")[2] for key in written}
    known = {key for block in [schema(), *schema()["$defs"].values()] for key in block.get("properties", {})}
    assert known - leaves == set()


def test_shipped_policies_are_asked_in_this_order(checkout: Path) -> None:
    assert [one.name for one in load(checkout / "policies")] == ["isolated", "hub-firewall", "nat-gateway-per-vnet"]
    assert {one.occupied for one in load(checkout / "policies")} == {Mode.PROPOSE}


def test_shipped_defaults_are_the_defaults_of_the_language(checkout: Path, tmp_path: Path) -> None:
    defaults = (checkout / "policies/defaults.yaml").read_text()
    bare = load(folder(tmp_path, {"a.yaml": "name: a"}))
    assert load(folder(tmp_path, {"defaults.yaml": defaults})) == bare == Policies((Policy("a"),))


def test_shipped_cases_load(checkout: Path) -> None:
    cases = load_cases(checkout / "policies")
    assert len(cases) >= 10
    assert {expected.policy for case in cases for expected in case.expect} >= {
        one.name for one in load(checkout / "policies")
    }
    first = cases[0]
    assert first.source == "hub-firewall.cases.yaml:3"
    included = [case.estate.include for case in cases if case.estate.include]
    assert [Path(file).is_file() for file in included] == [True, True]


EXPECT = "{resource: '.../subnets/app', requirement: subnet-egress, verdict: Violation}"
GOOD = f"- name: one\n  estate: {{}}\n  expect: [{EXPECT}]"


def test_what_a_case_expects(tmp_path: Path) -> None:
    (case,) = load_cases(folder(tmp_path, {"a.cases.yaml": GOOD}))
    assert (case.name, case.plan, case.after, case.estate.bodies, case.source) == (
        "one",
        None,
        None,
        (),
        "a.cases.yaml:1",
    )
    assert case.expect[0].about("/subscriptions/s/X/Subnets/App")
    assert not case.expect[0].about("/subscriptions/s/X/subnets/app2")


@pytest.mark.parametrize(
    ("text", "line", "path", "words"),
    [
        ("name: one", 1, "", "expected a list"),
        (GOOD + "\n- name: two", 4, "[1]", "'estate' is missing"),
        (GOOD + "\n  afterwards: x", 4, "[0].afterwards", "unknown key; did you mean after?"),
        (GOOD + "\n  after: done", 4, "[0].after", "compliant"),
        (GOOD.replace("Violation", "violated"), 3, "[0].expect[0].verdict", "did you mean Violation?"),
        (GOOD.replace("subnet-egress", "egress"), 3, "[0].expect[0].requirement", "did you mean"),
        (GOOD + "\n  plan: [WriteSubnets]", 4, "[0].plan[0]", "did you mean WriteSubnet?"),
        (GOOD.replace("{}", "{include: nowhere.json}"), 2, "[0].estate.include", "there is no file"),
        (GOOD.replace("{}", "{with: [{type: x}]}"), 2, "[0].estate.with[0]", "a body needs its `id`"),
        (GOOD + "\n  source: x", 4, "[0].source", "unknown key"),
        ("- [", 1, "", "not YAML"),
    ],
)
def test_mistakes_in_cases(tmp_path: Path, text: str, line: int, path: str, words: str) -> None:
    with pytest.raises(PolicyErrors) as raised:
        load_cases(folder(tmp_path, {"a.cases.yaml": text}))
    (error,) = raised.value.errors
    assert (error.file, error.line, error.path) == ("a.cases.yaml", line, path)
    assert words in error.message


def test_errors_are_values() -> None:
    one = PolicyError("b.yaml", 2, "x", "wrong")
    assert PolicyErrors([one, PolicyError("a.yaml", 1, "", "no"), one]).errors == (
        PolicyError("a.yaml", 1, "", "no"),
        one,
    )


def examples(text: str) -> list[str]:
    return re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_every_example_of_the_documentation_loads(checkout: Path, tmp_path: Path) -> None:
    blocks = examples((checkout / "docs/policies.md").read_text())
    assert len(blocks) >= 5
    for number, block in enumerate(blocks):
        here = tmp_path / str(number)
        here.mkdir()
        if block.startswith("- name:"):
            assert load_cases(folder(here, {"a.cases.yaml": block}))
        elif "name:" in block.partition("\n")[0]:
            assert load(folder(here, {"a.yaml": block})).policies
        else:
            assert load(folder(here, {"defaults.yaml": block, "a.yaml": "name: a"})).policies


def test_the_documentation_names_every_key_and_word(checkout: Path) -> None:
    text = (checkout / "docs/policies.md").read_text()
    known = {key for block in [schema(), *schema()["$defs"].values()] for key in block.get("properties", {})}
    known |= {word for one in schema()["$defs"].values() for word in one.get("enum", ())}
    assert sorted(word for word in known if word not in text) == []


def test_terms_refuse_what_they_do_not_know() -> None:
    assert all(kind.__struct_config__.forbid_unknown_fields for kind in Term.__subclasses__())
