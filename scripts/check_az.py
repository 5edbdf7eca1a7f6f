"""`make check-az`: the folder where Microsoft's az is installed in; a line for each command that it ran against a
simulator of its own out, and exit code 1 at the first that did not do what it should.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
TENANT = "5e000000-0000-4000-8000-000000000001"
ELSEWHERE = "99999999-0000-4000-8000-000000000000"
READER = str(uuid.uuid5(uuid.NAMESPACE_URL, "reader"))
"""The object id of who signs in as `reader`."""
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
NETWORK = f"{GROUP}/providers/Microsoft.Network"
MACHINE = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm"
QUEUE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/a/queueServices/default/queues/q"
ESTATE = [
    {"id": f"/subscriptions/{SUBSCRIPTION}", "type": "Microsoft.Resources/subscriptions", "displayName": "az"},
    {"id": GROUP, "type": "Microsoft.Resources/resourceGroups", "location": "westeurope"},
    {
        "id": f"{NETWORK}/virtualNetworks/v",
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "s", "properties": {"addressPrefix": "10.0.0.0/24"}}],
        },
    },
    {
        "id": f"{NETWORK}/virtualNetworks/hub",
        "location": "westeurope",
        "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}},
    },
    {
        "id": f"{NETWORK}/networkInterfaces/nic",
        "location": "westeurope",
        "properties": {
            "ipConfigurations": [
                {"name": "one", "properties": {"subnet": {"id": f"{NETWORK}/virtualNetworks/v/subnets/s"}}}
            ],
            "virtualMachine": {"id": MACHINE},
        },
    },
    {
        "id": MACHINE,
        "location": "westeurope",
        "properties": {"networkProfile": {"networkInterfaces": [{"id": f"{NETWORK}/networkInterfaces/nic"}]}},
    },
    {
        "id": f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks",
        "location": "westeurope",
        "properties": {"networkProfile": {"outboundType": "loadBalancer"}},
    },
]
ANYTHING = object()


class Check(NamedTuple):
    """A command without its `az`, and what its answer is to be; one that is to fail says so with its exit code."""

    command: str
    answer: object = ANYTHING
    code: int = 0
    says: str = ""


SIGN_IN = [
    Check("cloud register -n Simulator --endpoint-resource-manager {url}"),
    Check("cloud set -n Simulator"),
    Check(
        f"login --service-principal -u simulator -p anything --tenant {ELSEWHERE}",
        code=1,
        says=f"AADSTS90002: Tenant '{ELSEWHERE}' not found.",
    ),
    Check(f"login --service-principal -u simulator -p anything --tenant {TENANT} --query [].id", [SUBSCRIPTION]),
]
SUBNET = "network vnet subnet {verb} -g rg --vnet-name v"
ARM = [
    Check("account show --query [id,tenantId,user.type]", [SUBSCRIPTION, TENANT, "servicePrincipal"]),
    Check("account list --query [].name", ["az"]),
    Check("account get-access-token --query [subscription,tenant,tokenType]", [SUBSCRIPTION, TENANT, "Bearer"]),
    Check("group list --query [].name", ["rg"]),
    Check("group show -n rg --query location", "westeurope"),
    Check("group show -n gone", code=3, says="ResourceGroupNotFound"),
    Check("group create -n more -l westeurope --query properties.provisioningState", "Succeeded"),
    Check("group exists -n more", True),
    Check("group delete -n more -y"),
    Check("group exists -n more", False),
    Check("network vnet list --query [].name", ["v", "hub"]),
    Check("network vnet show -g rg -n v --query subnets[].name", ["s"]),
    Check(f"{SUBNET.format(verb='show')} -n s --query addressPrefix", "10.0.0.0/24"),
    Check(f"{SUBNET.format(verb='show')} -n gone", code=3, says="NotFound"),
    Check("network public-ip create -g rg -n ip --sku Standard --query publicIp.provisioningState", "Succeeded"),
    Check("network public-ip list -g rg --query [].name", ["ip"]),
    Check("network nat gateway create -g rg -n ng --public-ip-addresses ip --query idleTimeoutInMinutes", 4),
    Check("network nat gateway update -g rg -n ng --idle-timeout 10 --query idleTimeoutInMinutes", 10),
    Check("network nat gateway show -g rg -n ng --query length(publicIpAddresses)", 1),
    Check("network nat gateway list -g rg --query [].provisioningState", ["Succeeded"]),
    Check("network public-ip show -g rg -n ip --query natGateway.id", f"{NETWORK}/natGateways/ng"),
    Check("network public-ip delete -g rg -n ip", code=1, says="PublicIPAddressCannotBeDeleted"),
    Check(
        f"{SUBNET.format(verb='update')} -n s --service-endpoints Microsoft.Storage --query serviceEndpoints[].service",
        ["Microsoft.Storage"],
    ),
    Check(f"{SUBNET.format(verb='update')} -n s --nat-gateway ng --query natGateway.id", f"{NETWORK}/natGateways/ng"),
    Check("network nat gateway delete -g rg -n ng", code=1, says="CannotDeleteNatGatewayAssociatedToSubnet"),
    Check(
        f"{SUBNET.format(verb='update')} -n s --remove natGateway --query [natGateway,serviceEndpoints[].service]",
        [None, ["Microsoft.Storage"]],
    ),
    Check("network nat gateway delete -g rg -n ng"),
    Check("network public-ip delete -g rg -n ip"),
    Check("network route-table create -g rg -n rt --query provisioningState", "Succeeded"),
    Check(
        "network route-table route create -g rg --route-table-name rt -n out --address-prefix 0.0.0.0/0 "
        "--next-hop-type VirtualAppliance --next-hop-ip-address 10.1.0.4 --query nextHopIpAddress",
        "10.1.0.4",
    ),
    Check("network nsg create -g rg -n nsg --query length(NewNSG.defaultSecurityRules)", 6),
    Check(
        f"{SUBNET.format(verb='create')} -n t --address-prefixes 10.0.1.0/24 --route-table rt --nsg nsg "
        "--query routeTable.id",
        f"{NETWORK}/routeTables/rt",
    ),
    Check(f"{SUBNET.format(verb='list')} --query [].name", ["s", "t"]),
    Check(f"{SUBNET.format(verb='delete')} -n t"),
    Check(f"{SUBNET.format(verb='list')} --query [].name", ["s"]),
    Check(
        "network vnet peering create -g rg --vnet-name v -n to-hub --remote-vnet hub --allow-vnet-access "
        "--query peeringState",
        "Initiated",
    ),
    Check(
        "network vnet peering create -g rg --vnet-name hub -n to-v --remote-vnet v --query peeringState", "Connected"
    ),
    Check("network vnet peering list -g rg --vnet-name v --query [].peeringState", ["Connected"]),
    Check(
        "network nic show-effective-route-table -g rg -n nic --query \"value[?state=='Active'].nextHopType | [:3]\"",
        ["VnetLocal", "VNetPeering", "Internet"],
    ),
    Check("resource list -g rg --resource-type Microsoft.Network/routeTables --query [].name", ["rt"]),
    Check("resource list --tag owner=me --query [].name", []),
    Check(
        "resource show -g rg -n v --resource-type Microsoft.Network/virtualNetworks --query "
        "properties.provisioningState",
        "Succeeded",
    ),
    Check(f"resource show --ids {NETWORK}/virtualNetworks/v/subnets/s --query properties.addressPrefix", "10.0.0.0/24"),
    Check(f"resource tag --ids {NETWORK}/routeTables/rt --tags owner=me --query tags", {"owner": "me"}),
    Check(
        f"tag update --resource-id {NETWORK}/routeTables/rt --operation Merge --tags cost=1 --query properties.tags",
        {"owner": "me", "cost": "1"},
    ),
    Check("lock create -g rg -n keep --lock-type CanNotDelete --query level", "CanNotDelete"),
    Check("lock list -g rg --query [].name", ["keep"]),
    Check("network route-table delete -g rg -n rt", code=1, says="ScopeLocked"),
    Check("lock delete -g rg -n keep"),
    Check("network route-table delete -g rg -n rt"),
    Check(
        "graph query -q \"resources | where type =~ 'microsoft.network/virtualnetworks' | project name\" "
        "--query data[].name",
        ["hub", "v"],
    ),
    Check(f"rest -u {GROUP}/resources?api-version=2021-04-01 --query length(value)", 6),
    Check(
        f"rest -u {GROUP}/providers/Microsoft.Network/natGateways/ng?api-version=2024-05-01", code=1, says="NotFound"
    ),
    Check("aks show -g rg -n aks --query networkProfile.outboundType", "loadBalancer"),
    Check("provider show -n Microsoft.Network --query registrationState", "Registered"),
    Check("account management-group list --no-register --query [].name", [TENANT]),
    Check("policy assignment list", []),
    Check("role definition list -n Reader --query [].roleName", ["Reader"]),
    Check("role assignment list --all", []),
    Check(f"login --service-principal -u reader -p anything --tenant {TENANT}", code=1, says="No subscriptions found"),
    Check(
        f"role assignment create --assignee-object-id {READER} --assignee-principal-type ServicePrincipal "
        f"--role Reader --scope {GROUP} --query scope",
        GROUP,
    ),
    Check("role assignment list --all --query [].[roleDefinitionName,principalId]", [["Reader", READER]]),
    Check("rest -m post -u {url}/simulator/clock -b '{\"advance\": 20}'"),
    Check("monitor activity-log list -g rg --offset 1h --max-events 1 --query length(@)", 1),
    Check(
        f"eventgrid event-subscription create -n events --source-resource-id {GROUP} --endpoint-type storagequeue "
        f"--endpoint {QUEUE} --query provisioningState",
        "Succeeded",
    ),
    Check("eventgrid event-subscription list --location global --query [].name", ["events"]),
    Check(f"login --service-principal -u reader -p anything --tenant {TENANT} --query [].name", ["az"]),
    Check("network vnet list -g rg --query [].name", ["v", "hub"]),
    Check("network route-table create -g rg -n rt -l westeurope", code=1, says="AuthorizationFailed"),
    Check("logout"),
    Check("account show", code=1, says="az login"),
]
IDENTITY = [
    Check("login --identity --query [].user.name", ["systemAssignedIdentity"]),
    Check("network vnet list --query [].name", ["v", "hub"]),
    Check("login --identity --client-id reader --query [].user.name", ["userAssignedIdentity"]),
    Check("network vnet list -g rg --query [].name", ["v", "hub"]),
    Check("logout"),
]


class Az:
    """Microsoft's az with a configuration of its own, in the folder where the simulator's authority is."""

    def __init__(self, installed: Path, private: Path) -> None:
        self._az = installed / "bin" / "az"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "IDENTITY_"))}
        self._environment = kept | {
            "AZURE_CONFIG_DIR": str(private / "az"),
            "AZURE_EXTENSION_DIR": str(installed / "extensions"),
            "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false",
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
            "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off",
            "REQUESTS_CA_BUNDLE": str(private / "ca.pem"),  # no other: nothing but the simulator can be spoken to
            "NO_PROXY": "127.0.0.1",
        }

    def version(self) -> str:
        found = json.loads(self._run("version").stdout)
        return f"azure-cli {found['azure-cli']}, {', '.join(f'{k} {v}' for k, v in found['extensions'].items())}"

    def tried(self, check: Check, **environment: str) -> str:
        """A check in; empty, or what is wrong with it, out."""
        ran = self._run(check.command, **environment)
        if ran.returncode != check.code:
            return f"exit code {ran.returncode}, not {check.code}\n{ran.stderr}"
        if check.says not in ran.stderr:
            return f"does not say {check.says!r}\n{ran.stderr}"
        answer = json.loads(ran.stdout) if ran.stdout.strip() else None
        if check.answer is not ANYTHING and answer != check.answer:
            return f"answers {answer!r}, not {check.answer!r}"
        return ""

    def _run(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self._az, *shlex.split(command), "-o", "json"],
            env=self._environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@contextmanager
def simulator(folder: Path) -> Iterator[str]:
    """A folder for its certificate in, the URL of a simulator that runs meanwhile out."""
    estate = folder / "estate.json"
    estate.write_text(json.dumps(ESTATE))
    options = ["--port", "0", "--roles", "assigned", "--data", str(folder), "--estate", str(estate)]
    command = [sys.executable, "-m", "simulator", *options]
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            url = running.stdout.readline().strip()
            if not url:
                raise SystemExit("check_az: the simulator did not start")
            yield url
        finally:
            running.terminate()


def main(installed: Path) -> int:
    """The folder of a virtual environment with az in, an exit code out."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, simulator(Path(name)) as url:
        az = Az(installed.absolute(), Path(name))
        print(az.version(), flush=True)
        identity = {"IDENTITY_ENDPOINT": f"{url}/msi/token", "IDENTITY_HEADER": "anything"}
        for check, environment in [
            *((check, {}) for check in SIGN_IN + ARM),
            *((check, identity) for check in IDENTITY),
        ]:
            check = check._replace(command=check.command.replace("{url}", url))
            wrong = az.tried(check, **environment)
            print(f"{'FAILED' if wrong else 'ok    '} az {check.command}", flush=True)
            if wrong:
                print(wrong, file=sys.stderr)
                return 1
    print(f"{len(SIGN_IN + ARM + IDENTITY)} commands in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
