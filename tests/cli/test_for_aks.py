"""`explain --for-aks`: how to make a cluster that complies in a subnet; and `explain` of a cluster that is there."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.test_explain import APPS, DATA, FACTORY, HUB, NETWORK

READY = f"{NETWORK}/virtualNetworks/spoke-pay/subnets/snet-jobs"
NEW = f"{NETWORK}/virtualNetworks/spoke-shop/subnets/snet-batch"
ROUTED = f"{DATA}/virtualNetworks/spoke-erp/subnets/snet-reports"
CLOSED = f"{NETWORK}/virtualNetworks/spoke-vault/subnets/snet-hsm"


def test_the_command_can_be_copied(run: Run, contoso: Path) -> None:
    ran = run("explain", READY, "--estate", contoso, "--for-aks")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    start = lines.index("az aks create --resource-group <group> --name <name> --location westeurope \\")
    assert lines[start + 1 : start + 4] == [
        f"  --vnet-subnet-id {READY} \\",
        "  --outbound-type userAssignedNATGateway \\",
        "  --network-plugin azure --load-balancer-sku standard --assign-identity <identity>",
    ]


@pytest.mark.parametrize(
    ("subnet", "said"),
    [
        (READY, ("ready yes: ng-pay is attached", "leaves from", "Microsoft.Network/virtualNetworks/subnets/join")),
        (READY, ("private add --enable-private-cluster, or its API server is told as a violation",)),
        (f"{NETWORK}/virtualNetworks/spoke-aks/subnets/snet-nodes", ("taken by cluster aks-shop: give each cluster",)),
        (NEW, ("ready not yet, first: attach NAT gateway ng-spoke-shop", "leaves from not known yet")),
        (
            ROUTED,
            (
                "--outbound-type userDefinedRouting",
                "ready not yet, first: attach route table",
                "by the firewall, TCP 443: *.hcp.westeurope.azmk8s.io",
                "UDP 1194 and TCP 9000 to AzureCloud.westeurope",
                "with kubenet, a user-assigned one",
            ),
        ),
        (
            f"{FACTORY}/virtualNetworks/spoke-scan/subnets/snet-scan",
            ("ready no, what it must leave by is not attached: route table rt-scan has route to-scanner",),
        ),
        (CLOSED, ("--outbound-type none", "--bootstrap-artifact-source Cache")),
        (
            f"{NETWORK}/virtualNetworks/spoke-shop/subnets/snet-functions",
            ("no cluster can live in it: it is delegated to Microsoft.Web/serverFarms",),
        ),
    ],
)
def test_what_must_be_there_first_and_what_the_identity_needs(
    run: Run, contoso: Path, subnet: str, said: tuple[str, ...]
) -> None:
    ran = run("explain", subnet, "--estate", contoso, "--for-aks")
    assert ran.code == 0
    for words in said:
        assert words in ran.text


def test_the_addresses_of_today_are_not_those_of_a_cluster_that_leaves_another_way(run: Run, contoso: Path) -> None:
    ran = run("explain", f"{NETWORK}/virtualNetworks/spoke-shop/subnets/snet-web", "--estate", contoso, "--for-aks")
    assert "leaves from not known yet: ask again when it is ready" in ran.text
    assert "20.50.10.1" not in ran.text.rpartition("identity")[2]


def test_only_a_subnet_can_be_asked_about(run: Run, contoso: Path) -> None:
    ran = run("explain", f"{NETWORK}/virtualNetworks/spoke-shop", "--estate", contoso, "--for-aks")
    assert ran.code != 0
    assert "--for-aks asks about a subnet" in ran.err.replace("\n", " ")


def test_a_subnet_that_nobody_governs_asks_for_nothing(run: Run, contoso: Path, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("name: one\nselect: {virtualNetworks: [other]}\n")
    ran = run("explain", READY, "--estate", contoso, "--policies", tmp_path, "--for-aks")
    assert "no policy governs it: it asks for no outboundType" in ran.text


def test_a_cluster_is_explained_with_its_verdicts_and_its_subnets(run: Run, contoso: Path) -> None:
    cluster = f"{APPS}/rg-shop/providers/Microsoft.ContainerService/managedClusters/aks-shop"
    ran = run("explain", cluster, "--estate", contoso)
    assert ran.code == 0
    assert "Violation cluster-outbound-type: outboundType loadBalancer, but snet-nodes leaves by" in ran.text
    assert "subnet spoke-aks/snet-nodes" in ran.text
    assert "because cluster aks-shop is stopped: it is changed when it runs" in ran.text


BEHIND = """name: proxied
mode: enforce
egress:
  proxy:
    https: "@keyvault:kv-proxy/address"
    noProxy: [10.0.0.0/8]
    trustedCa: "@keyvault:kv-proxy/ca"
    proxyHost: /subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/hub/subnets/snet-proxy
clusters: {outboundType: none}
"""


def test_a_cluster_behind_a_proxy_gets_a_file_without_secrets(run: Run, contoso: Path, tmp_path: Path) -> None:
    folder = tmp_path / "proxied"
    folder.mkdir()
    (folder / "proxied.yaml").write_text(BEHIND)
    ran = run("explain", NEW, "--estate", contoso, "--for-aks", "--policies", folder)
    assert (ran.code, ran.err) == (0, "")
    for words in (
        "--outbound-type none",
        "--enable-private-cluster",
        "--http-proxy-config proxy.json",
        '{"httpsProxy": "<secret address of vault kv-proxy>", "noProxy": ["10.0.0.0/8"], "trustedCa": "<secret ca of',
        "az keyvault secret show --vault-name kv-proxy --name address --query value -o tsv",
        "leaves from the addresses of the proxy, whose subnet is snet-proxy",
        "ready not yet, first: set private",
    ):
        assert words in ran.text, ran.text
    ran = run("explain", CLUSTER, "--estate", contoso, "--policies", folder)
    said = "Unknown cluster-proxy: secret address of vault kv-proxy could not be read: no export holds secrets"
    assert said in ran.text, ran.text


CLUSTER = (
    "/subscriptions/11111111-aaaa-4aaa-8aaa-111111111111/resourceGroups/rg-shop/providers/"
    "Microsoft.ContainerService/managedClusters/aks-shop"
)


def changed(contoso: Path, folder: Path, network: str, subnet: str, **properties: object) -> Path:
    """The sample estate with other members in one subnet."""
    rows = json.loads(contoso.read_text())
    there = next(row for row in rows if row["id"].endswith(f"/{network}"))
    found = next(one for one in there["properties"]["subnets"] if one["name"] == subnet)
    found["properties"].update(properties)
    path = folder / "estate.json"
    path.write_text(json.dumps(rows))
    return path


@pytest.mark.parametrize(
    ("prefix", "said", "overlay"),
    [
        ("10.99.0.0/24", "", False),
        ("10.99.0.0/26", "room 59 addresses left, and three nodes with one more for upgrades need 4", True),
        ("10.99.0.0/28", "room 11 addresses left", True),
        ("10.99.0.0/29", "for AKS no cluster can live in it: 3 addresses left, and three nodes with one more", None),
    ],
)
def test_a_subnet_must_have_room_for_nodes_and_pods(
    run: Run, contoso: Path, tmp_path: Path, prefix: str, said: str, overlay: bool | None
) -> None:
    estate = changed(contoso, tmp_path, "spoke-pay", "snet-jobs", addressPrefix=prefix, ipConfigurations=[])
    ran = run("explain", READY, "--estate", estate, "--for-aks")
    assert said in ran.text
    assert ("--network-plugin-mode overlay" in ran.text) is (overlay is True)
    assert ("az aks create" in ran.text) is (overlay is not None)


def test_where_an_api_server_lives_no_nodes_do(run: Run, contoso: Path, tmp_path: Path) -> None:
    rows = json.loads(contoso.read_text())
    cluster = next(row for row in rows if row["id"].endswith("/aks-shop"))
    cluster["properties"]["apiServerAccessProfile"] = {"subnetId": READY.upper(), "enableVnetIntegration": True}
    (tmp_path / "estate.json").write_text(json.dumps(rows))
    ran = run("explain", READY, "--estate", tmp_path / "estate.json", "--for-aks")
    assert "no nodes can live in it: the API server of cluster aks-shop does" in ran.text
    assert "az aks create" not in ran.text


def test_a_subnet_of_azures_own_and_one_that_is_exempt_ask_for_nothing(run: Run, contoso: Path, tmp_path: Path) -> None:
    gateway = f"{HUB}/virtualNetworks/hub-weu/subnets/GatewaySubnet"
    ran = run("explain", gateway, "--estate", contoso, "--for-aks")
    assert "no cluster can live in it: it is a subnet of Azure's own" in ran.text
    (tmp_path / "one.yaml").write_text(
        "name: one\negress: {natGateway: {}}\n"
        "exemptions:\n- {resource: '*/snet-batch', requirement: subnet-egress, owner: ann, reason: old, "
        "until: 2099-01-01}\n"
    )
    ran = run("explain", NEW, "--estate", contoso, "--policies", tmp_path, "--for-aks")
    assert "it is exempt from its policy and asks for no outboundType" in ran.text
    assert "az aks create" not in ran.text
