"""What is only judged, in the plan of an export: told, with the reason why nothing repairs it."""

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.core.ingress_world import GROUP_ID, backends, gateway, group, waf_policy
from tests.core.test_app_verdict import PLAN, link, site
from tests.core.test_ingress_verdict import BY_POLICY, PIP, home
from tests.core.world import (
    address,
    config_id,
    delegated,
    nic,
    subnet,
    subnet_id,
    subscription,
)
from tests.core.world import (
    group as resource_group,
)

POLICY = """
name: everything
select: {virtualNetworks: [spoke]}
mode: audit
egress: {natGateway: {}}
publicIps: {allow: [{names: [pip]}]}
ingress: {ddos: audit}
"""


def test_an_export_is_audited_like_azure(run: Run, tmp_path: Path) -> None:
    network = home(networkSecurityGroup={"id": GROUP_ID})
    lodging = subnet("web", delegations=delegated("Microsoft.Web/serverFarms"), serviceAssociationLinks=[link(PLAN)])
    network["properties"]["subnets"].append(lodging)
    held = address(ipConfiguration={"id": config_id()}, ddosSettings={"protectionMode": "Disabled"})
    bodies = [
        network,
        nic(public=PIP),
        held,
        gateway(*backends("10.0.0.4"), public=PIP, **BY_POLICY),
        waf_policy(mode="Detection"),
        group(),
        site(where=subnet_id("web"), vnetRouteAllEnabled=False),
        subscription(),
        resource_group(),
    ]
    file = tmp_path / "estate.json"
    file.write_text(json.dumps(bodies))
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "everything.yaml").write_text(POLICY)
    plan = json.loads(run("plan", "--estate", file, "--policies", policies, "--format", "json").out)
    wrong = {(one["requirement"], one["resource"].rpartition("/")[2]): one["why"] for one in plan["unrepaired"]}
    only = "it is judged only: its owner mends it"
    assert {key: why for key, why in wrong.items() if why == only} == {
        ("ingress-waf", "agw"): only,
        ("ingress-nsg", "app"): only,
        ("public-ip-ddos", "pip"): only,
        ("app-route-all", "shop"): only,
    }
