"""`explain`: any resource of a file, hop by hop; what is missing is named, and nothing is guessed."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Run

APPS = "/subscriptions/11111111-aaaa-4aaa-8aaa-111111111111/resourceGroups"
HUB = "/subscriptions/22222222-bbbb-4bbb-8bbb-222222222222/resourceGroups/rg-hub/providers/Microsoft.Network"
DATA = "/subscriptions/33333333-cccc-4ccc-8ccc-333333333333/resourceGroups/rg-data/providers/Microsoft.Network"
FACTORY = DATA.replace("rg-data", "rg-factory")
NETWORK = f"{APPS}/rg-network/providers/Microsoft.Network"
SHOP = f"{APPS}/rg-shop/providers/Microsoft.Network"


def test_implicit_snat_names_the_single_point(run: Run, contoso: Path) -> None:
    ran = run("explain", f"{NETWORK}/virtualNetworks/spoke-shop/subnets/snet-web", "--estate", contoso)
    assert (ran.code, ran.err) == (0, "")
    assert "leaves by implicit SNAT of load balancer lb-shop" in ran.text
    assert "from 20.50.10.1" in ran.text
    assert "outbound works only while load balancer lb-shop has a public frontend" in ran.text
    assert "lives there virtual machine vm-web-1, virtual machine vm-web-2" in ran.text


def test_the_ways_into_a_subnet(run: Run, contoso: Path) -> None:
    ran = run("explain", f"{NETWORK}/virtualNetworks/spoke-shop/subnets/snet-web", "--estate", contoso)
    assert "verdict Violation ingress-path: " in ran.text
    beside = run("explain", f"{NETWORK}/virtualNetworks/spoke-shop/subnets/snet-orders", "--estate", contoso)
    assert "ingress-path" not in beside.text


def test_the_policy_that_governs_and_those_asked_before(run: Run, contoso: Path) -> None:
    ran = run("explain", f"{NETWORK}/virtualNetworks/spoke-shop/subnets/snet-orders", "--estate", contoso)
    assert "isolated was asked before (tags.egress does not hold; priority 300)" in ran.text
    assert "nat-gateway-per-vnet governs it (virtualNetworks holds" in ran.text
    assert "waits for approval: class address" in ran.text
    assert "no fixed address -> address of pip-ng-spoke-shop-1" in ran.text


@pytest.mark.parametrize(
    ("subnet", "said"),
    [
        (
            f"{DATA}/virtualNetworks/spoke-erp/subnets/snet-erp",
            (
                "hub 10.0.1.4 is firewall afw-weu in hub-weu",
                "peering spoke-erp -> hub-weu: Connected, access allowed, forwarded traffic allowed (to-hub-weu)",
                "replies to 20.50.0.1/32, 20.50.0.9/32 go straight out (keepInbound) from 20.50.0.9 lives",
                "Compliant hub-peering: peered with hub-weu",
            ),
        ),
        (
            f"{DATA}/virtualNetworks/spoke-bi/subnets/snet-bi",
            (
                "peering hub-weu -> spoke-bi: Connected, access allowed, forwarded traffic not allowed",
                "Violation hub-peering: allowForwardedTraffic is false at hub-weu",
                "would be done: write peering hub-weu -> spoke-bi (forwarded traffic allowed)",
                "would be done: write route 0.0.0.0/0 -> 10.0.1.4 into table rt-bi",
                "because take out of route table rt-bi by hand: vendor-direct",
            ),
        ),
        (f"{DATA}/virtualNetworks/spoke-crm/subnets/snet-crm", ("peering spoke-crm -> hub-weu: none",)),
        (
            f"{FACTORY}/virtualNetworks/spoke-factory/subnets/snet-plc",
            ("learned by vgw-neu: 0.0.0.0/0, 192.168.0.0/16", "leaves by route to vgw-neu"),
        ),
        (
            f"{FACTORY}/virtualNetworks/spoke-scan/subnets/snet-scan",
            ("hub 10.111.9.4 is nobody's address in spoke-scan",),
        ),
    ],
)
def test_the_hop_to_the_hub(run: Run, contoso: Path, subnet: str, said: tuple[str, ...]) -> None:
    ran = run("explain", subnet, "--estate", contoso)
    assert (ran.code, ran.err) == (0, "")
    for text in said:
        assert text in ran.text


def test_who_waits_for_nothing_but_an_approval_is_told_how_to_give_it(run: Run, contoso: Path) -> None:
    shop = f"{NETWORK}/virtualNetworks/spoke-shop/subnets"
    ran = run("explain", f"{shop}/snet-orders", "--estate", contoso)
    assert re.search(r'to do egress-governor approve [0-9a-f]{16} --reason "WHY"', ran.text)
    assert "approve" not in run("explain", f"{shop}/snet-functions", "--estate", contoso).text.replace("approval", "")


def test_what_waits_behind_what_wins(run: Run, contoso: Path, tmp_path: Path) -> None:
    rows = json.loads(contoso.read_text())
    erp = next(row for row in rows if row["id"].endswith("/spoke-erp"))
    gateway = {"id": f"{DATA}/natGateways/ng-erp"}
    erp["properties"]["subnets"][0]["properties"]["natGateway"] = gateway
    address = {"id": f"{DATA}/publicIPAddresses/pip-ng-erp"}
    rows += [
        {**gateway, "type": "Microsoft.Network/natGateways", "properties": {"publicIpAddresses": [address]}},
        {**address, "type": "Microsoft.Network/publicIPAddresses", "properties": {"ipAddress": "20.1.1.1"}},
    ]
    (tmp_path / "estate.json").write_text(json.dumps(rows))
    ran = run("explain", f"{DATA}/virtualNetworks/spoke-erp/subnets/snet-erp", "--estate", tmp_path / "estate.json")
    assert "leaves by route to appliance 10.0.1.4 behind it NAT gateway ng-erp behind it no way out" in ran.text


def test_a_network_is_each_of_its_subnets(run: Run, contoso: Path) -> None:
    ran = run("explain", f"{HUB}/virtualNetworks/hub-weu", "--estate", contoso)
    assert [word for word in ran.out.split() if word.startswith("hub-weu/")] == [
        "hub-weu/AzureFirewallSubnet",
        "hub-weu/GatewaySubnet",
        "hub-weu/snet-dns",
    ]
    assert "it is a subnet of Azure's own, which is never written" in ran.text
    assert "none of them selects it" in ran.text


@pytest.mark.parametrize(
    ("resource", "what", "subnets"),
    [
        (f"{SHOP}/networkInterfaces/nic-orders-1", "network interface", ["spoke-shop/snet-orders"]),
        (f"{SHOP}/publicIPAddresses/pip-lb-shop", "public IP address", ["spoke-shop/snet-web"]),
        (f"{SHOP}/loadBalancers/lb-shop", "load balancer", ["spoke-shop/snet-web"]),
        (f"{NETWORK}/natGateways/ng-pay", "NAT gateway", ["spoke-pay/snet-api", "spoke-pay/snet-jobs"]),
        (f"{DATA}/routeTables/rt-erp", "route table", ["spoke-erp/snet-erp"]),
        (f"{HUB}/azureFirewalls/afw-weu", "Azure Firewall", ["hub-weu/AzureFirewallSubnet"]),
        (
            f"{APPS}/rg-shop/providers/Microsoft.ContainerService/managedClusters/aks-shop",
            "AKS cluster",
            ["spoke-aks/snet-nodes"],
        ),
    ],
)
def test_anything_else_is_explained_by_its_subnets(
    run: Run, contoso: Path, resource: str, what: str, subnets: list[str]
) -> None:
    ran = run("explain", resource, "--estate", contoso)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{what} {resource.rpartition('/')[2]}\n")
    holder = what in ("network interface", "public IP address", "load balancer")
    judged = "verdict Violation" in ran.text.partition("subnet ")[0]
    assert ("Nothing is judged of it itself" in ran.text) is (holder and not judged)
    assert ("It is not judged itself" in ran.text) is (not holder and not judged)
    assert judged is (what in ("public IP address", "load balancer", "AKS cluster"))
    assert [line.split()[1] for line in ran.out.splitlines() if line.startswith("subnet ")] == subnets


def test_ids_are_compared_as_azure_compares_them(run: Run, contoso: Path) -> None:
    subnet = f"{NETWORK}/virtualNetworks/spoke-pay/subnets/snet-api"
    assert "leaves by NAT gateway ng-pay" in run("explain", subnet.upper(), "--estate", contoso).text


def test_a_missing_fact_is_named(run: Run, contoso: Path, tmp_path: Path) -> None:
    rows = [row for row in json.loads(contoso.read_text()) if not row["id"].endswith("/rt-erp")]
    (tmp_path / "part.json").write_text(json.dumps(rows))
    ran = run("explain", f"{DATA}/virtualNetworks/spoke-erp/subnets/snet-erp", "--estate", tmp_path / "part.json")
    assert ran.code == 0
    assert "unknown, a fact is missing: route table rt-erp: the file does not hold it" in ran.text
    assert "Unknown subnet-egress" in ran.text


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (f"{NETWORK}/virtualNetworks/spoke-shop/subnets/nope", "virtual network spoke-shop holds no subnet nope"),
        (f"{NETWORK}/virtualNetworks/nope", "it does not hold virtual network nope"),
        (f"{NETWORK}/natGateways/nope", "it does not hold /subscriptions/"),
        ("spoke-shop", "not a resource id: 'spoke-shop'"),
        ("/subscriptions/a/resourceGroups", "the name of the resource group is missing"),
    ],
)
def test_what_is_not_there_is_one_clear_line(run: Run, contoso: Path, resource: str, said: str) -> None:
    ran = run("explain", resource, "--estate", contoso)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err.casefold() or said in ran.err
    assert ran.err.count("\n") == 1


def test_every_resource_of_the_recorded_estate(run: Run, shared: Path) -> None:
    file = shared / "samples" / "estate_recorded.json"
    for resource in json.loads(file.read_text()):
        ran = run("explain", resource["id"], "--estate", file)
        assert (ran.code, ran.err) == (0, ""), resource["id"]
        assert ran.out.splitlines()[0].casefold().endswith(resource["id"].rpartition("/")[2].casefold())
