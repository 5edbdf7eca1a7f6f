"""`explain --for-aks`: how to make a cluster that complies in a subnet; and `explain` of a cluster that is there."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.test_explain import APPS, DATA, NETWORK

READY = f"{NETWORK}/virtualNetworks/spoke-pay/subnets/snet-jobs"
NEW = f"{NETWORK}/virtualNetworks/spoke-shop/subnets/snet-batch"
ROUTED = f"{DATA}/virtualNetworks/spoke-erp/subnets/snet-reports"
CLOSED = f"{NETWORK}/virtualNetworks/spoke-vault/subnets/snet-hsm"


def test_the_command_can_be_copied(run: Run, contoso: Path) -> None:
    ran = run("explain", READY, "--estate", contoso, "--for-aks")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    start = lines.index("az aks create --resource-group <group> --name <name> \\")
    assert lines[start + 1 : start + 4] == [
        f"  --vnet-subnet-id {READY} \\",
        "  --outbound-type userAssignedNATGateway \\",
        "  --network-plugin azure --load-balancer-sku standard --assign-identity <identity>",
    ]


@pytest.mark.parametrize(
    ("subnet", "said"),
    [
        (READY, ("ready yes: ng-pay is attached", "leaves from", "Microsoft.Network/virtualNetworks/subnets/join")),
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
    assert "20.50.10.1" not in ran.text


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
