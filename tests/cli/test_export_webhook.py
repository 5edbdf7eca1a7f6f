"""`policies export webhook`: the object that Kubernetes is given, and the token that only the cluster gets to know."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from governor.admission import cluster_of, hashed
from governor.core.admission import MOST_BYTES
from governor.settings import PREFIX, Settings
from tests.cli.conftest import Run

CLUSTER = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks-1"
RULE = "services: [{annotations: {a: b}}]"
POLICIES = f"name: spokes\nclusters: {{{RULE}}}\n---\nname: silent\nclusters: {{servicesFailure: fail}}\n"
GOLDEN = """\
# For a cluster governed by spokes. The last part of the path is a secret.
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata:
  name: egress-governor
webhooks:
- name: services.egress-governor.io
  clientConfig:
    url: https://FUNCTION_APP.azurewebsites.net/api/admission/CLUSTER_TOKEN
  failurePolicy: Ignore
  rules:
  - apiGroups:
    - ''
    apiVersions:
    - v1
    operations:
    - CREATE
    - UPDATE
    resources:
    - services
    scope: Namespaced
  namespaceSelector:
    matchExpressions:
    - key: kubernetes.io/metadata.name
      operator: NotIn
      values:
      - kube-system
      - kube-public
      - kube-node-lease
    - key: control-plane
      operator: NotIn
      values:
      - 'true'
    - key: kubernetes.azure.com/managedby
      operator: NotIn
      values:
      - aks
  matchConditions:
  - name: load-balancers
    expression: has(object.spec.type) && object.spec.type == "LoadBalancer"
  matchPolicy: Equivalent
  reinvocationPolicy: IfNeeded
  sideEffects: None
  timeoutSeconds: 10
  admissionReviewVersions:
  - v1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "all.yaml").write_text(POLICIES)
    return tmp_path / "mine"


def hook(text: str) -> Any:
    (found,) = yaml.safe_load(text)["webhooks"]
    return found


def test_what_kubernetes_is_given(run: Run, folder: Path) -> None:
    ran = run("policies", "export", "webhook", folder)
    assert (ran.code, ran.out, ran.err) == (0, GOLDEN, "")


def test_the_folder_of_the_deployment_is_the_default(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGRESS_GOVERNOR_POLICIES", str(folder))
    assert run("policies", "export", "webhook").out == GOLDEN


@pytest.mark.parametrize(("said", "expected"), [("ignore", "Ignore"), ("fail", "Fail")])
def test_it_fails_open_or_closed_as_the_policy_says(run: Run, folder: Path, said: str, expected: str) -> None:
    (folder / "all.yaml").write_text(f"name: spokes\nclusters: {{servicesFailure: {said}, {RULE}}}\n")
    assert hook(run("policies", "export", "webhook", folder).out)["failurePolicy"] == expected


def test_a_cluster_gets_a_token_of_its_own_and_the_settings_its_hash(run: Run, folder: Path) -> None:
    tokens = []
    for _ in range(2):
        ran = run("policies", "export", "webhook", folder, "--cluster", CLUSTER, "--url", "https://gov.example.org/")
        url = hook(ran.out)["clientConfig"]["url"]
        token = url.removeprefix("https://gov.example.org/api/admission/")
        assert re.fullmatch("[A-Za-z0-9_-]{43}", token)
        assert token not in ran.err
        entry = re.search(rf"{PREFIX}ADMISSION_TOKENS, with a comma before it: (\S+)\n", ran.err)
        assert entry is not None
        assert entry[1] == f"{CLUSTER}={hashed(token)}"
        environ = {
            PREFIX + "STORE": "sqlite:x",
            PREFIX + "POLICIES": str(folder),
            PREFIX + "ADMISSION_TOKENS": entry[1],
        }
        assert cluster_of(token, Settings.read(environ).admission_tokens) == CLUSTER
        tokens.append(token)
    assert tokens[0] != tokens[1]


def test_a_service_of_the_cluster_may_lead_there(run: Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\n")
    ran = run(
        *("policies", "export", "webhook", folder, "--service", "egress-governor/relay"),
        *("--ca-bundle", tmp_path / "ca.pem"),
    )
    assert hook(ran.out)["clientConfig"] == {
        "service": {
            "namespace": "egress-governor",
            "name": "relay",
            "path": "/api/admission/CLUSTER_TOKEN",
            "port": 443,
        },
        "caBundle": base64.b64encode(b"-----BEGIN CERTIFICATE-----\n").decode(),
    }


def test_the_relay_in_the_documents_leads_there(checkout: Path) -> None:
    made = yaml.safe_load_all((checkout / "docs" / "kubernetes" / "relay.yaml").read_text())
    relay = {one["kind"]: one for one in made}
    assert {one["metadata"].get("namespace", "egress-governor") for one in relay.values()} == {"egress-governor"}
    assert relay["Service"]["metadata"]["name"] == "relay"
    container = relay["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    assert relay["Service"]["spec"]["ports"] == [{"port": 443, "targetPort": container["ports"][0]["containerPort"]}]
    nginx = relay["ConfigMap"]["data"]["nginx.conf"]
    assert f"client_max_body_size {MOST_BYTES >> 20}m;" in nginx
    assert "location /api/admission/ {" in nginx


def test_policies_that_differ_must_be_told_apart(run: Run, folder: Path) -> None:
    other = f"name: other\nclusters: {{servicesFailure: fail, {RULE}}}\n"
    (folder / "all.yaml").write_text(f"{POLICIES}---\n{other}")
    ran = run("policies", "export", "webhook", folder)
    assert (ran.code, ran.out) == (1, "")
    assert "servicesFailure differs: other fail, spokes ignore" in ran.err
    assert hook(run("policies", "export", "webhook", folder, "--policy", "other").out)["failurePolicy"] == "Fail"


WRONG = [
    (("--policy", "spoke"), "--policy spoke: there is no such policy; expected one of silent, spokes"),
    (("--cluster", "aks-1"), "--cluster aks-1: expected the id of an AKS cluster"),
    (("--url", "http://gov.example.org"), "--url http://gov.example.org: expected https://HOST"),
    (("--url", "https://gov.example.org?code=x"), "no more than a path"),
    (("--service", "relay"), "--service relay: expected NAMESPACE/NAME"),
    (("--ca-bundle", "none.pem"), "none.pem: No such file"),
]


@pytest.mark.parametrize(("options", "words"), WRONG, ids=[row[1][:20] for row in WRONG])
def test_what_is_wrong_is_one_line(run: Run, folder: Path, options: tuple[str, ...], words: str) -> None:
    ran = run("policies", "export", "webhook", folder, *options)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (1, "", 1)
    assert words in ran.err


def test_without_annotations_there_is_nothing_to_ask_for(run: Run, folder: Path) -> None:
    (folder / "all.yaml").write_text("name: spokes\n")
    ran = run("policies", "export", "webhook", folder)
    assert (ran.code, ran.out) == (1, "")
    assert "no policy has clusters.services" in ran.err
