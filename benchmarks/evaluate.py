"""How fast the core decides: `python -m benchmarks.evaluate --subnets N` prints one line of JSON.

Resource Graph shaped pages are made one at a time, decoded, judged, repaired in imagination and judged again, as a
survey does; nothing outlives its page, so memory does not grow with N. One subnet in five violates its policy.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from governor.core.estate import EVERYTHING, Reading, build
from governor.core.forecast import Refusal, forecast
from governor.core.judged import judge, look
from governor.core.policy import Egress, Mode, NatGatewayPolicy, Policies, Policy, Select
from governor.core.propose import propose

SUBNETS_PER_NETWORK = 10
NETWORKS_PER_PAGE = 100
AT = datetime(2026, 11, 21, tzinfo=UTC)


def pages(subnets: int) -> Iterator[bytes]:
    """A number of subnets in, pages of rows as Resource Graph answers them out."""
    made = number = 0
    while made < subnets:
        rows: list[dict[str, object]] = []
        for _ in range(NETWORKS_PER_PAGE):
            count = min(SUBNETS_PER_NETWORK, subnets - made)
            if not count:
                break
            rows += _network(number, count)
            made, number = made + count, number + 1
        yield json.dumps({"totalRecords": len(rows), "count": len(rows), "data": rows}).encode()


def _network(number: int, count: int) -> list[dict[str, object]]:
    subscription = f"/subscriptions/00000000-0000-0000-0000-{number // 1000:012d}"
    group = f"{subscription}/resourceGroups/rg-net"
    vnet = f"{group}/providers/Microsoft.Network/virtualNetworks/spoke-{number}"
    gateway = (
        f"{subscription}/resourceGroups/rg-egress-westeurope/providers/Microsoft.Network/natGateways/ng-spoke-{number}"
    )
    address = f"{group}/providers/Microsoft.Network/publicIPAddresses/pip-{number}"
    subnets = [
        {
            "id": f"{vnet}/subnets/s{i}",
            "name": f"s{i}",
            "type": "Microsoft.Network/virtualNetworks/subnets",
            "etag": 'W/"00000000-0000-0000-0000-000000000000"',
            "properties": {
                "provisioningState": "Succeeded",
                "addressPrefix": f"10.{number % 256}.{i}.0/24",
                "delegations": [],
                "privateEndpointNetworkPolicies": "Disabled",
                "privateLinkServiceNetworkPolicies": "Enabled",
                **({"natGateway": {"id": gateway}, "defaultOutboundAccess": False} if i % 5 else {}),
            },
        }
        for i in range(count)
    ]
    properties = {
        "provisioningState": "Succeeded",
        "addressSpace": {"addressPrefixes": [f"10.{number % 256}.0.0/16"]},
        "subnets": subnets,
        "virtualNetworkPeerings": [],
    }
    return [
        {
            "id": vnet,
            "name": f"spoke-{number}",
            "type": "microsoft.network/virtualnetworks",
            "location": "westeurope",
            "resourceGroup": "rg-net",
            "tags": {"environment": "prod"},
            "properties": properties,
        },
        {
            "id": gateway,
            "name": f"ng-spoke-{number}",
            "type": "microsoft.network/natgateways",
            "location": "westeurope",
            "sku": {"name": "StandardV2"},
            "properties": {"provisioningState": "Succeeded", "publicIpAddresses": [{"id": address}]},
        },
    ]


class Answer(msgspec.Struct):
    data: list[msgspec.Raw]


def evaluate(subnets: int) -> dict[str, float | int]:
    """A number of subnets in, what was measured out; making the pages is not counted."""
    policy = Policy(
        name="nat-per-vnet",
        mode=Mode.ENFORCE,
        select=Select(virtual_networks=("spoke-*",)),
        egress=Egress(nat_gateway=NatGatewayPolicy()),
    )
    policies = Policies(policies=(policy,))
    decoder = msgspec.json.Decoder(Answer)
    seconds, verdicts, wrong = 0.0, 0, 0
    for page in pages(subnets):
        begin = time.perf_counter()
        rows = decoder.decode(page).data
        estate = build(AT, Reading(bodies=tuple(rows), listed=(EVERYTHING,)))
        looked = tuple(look(estate, policies))
        verdicts += sum(len(judged.verdicts) for judged in looked)
        proposal = propose(estate, looked)
        after = forecast(estate, tuple(step for _, step in proposal.plan.steps))
        if isinstance(after, Refusal):
            raise AssertionError(f"the forecast refuses {after.step}: {after.why}")
        wrong += sum(verdict.result.value != "Compliant" for verdict in judge(after, policies))
        seconds += time.perf_counter() - begin
    if wrong:
        raise AssertionError(f"{wrong} verdicts of the forecast are not Compliant")
    return {
        "subnets": subnets,
        "verdicts": verdicts,
        "seconds": round(seconds, 3),
        "subnets_per_second": round(subnets / seconds),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subnets", type=int, default=100_000)
    print(json.dumps(evaluate(parser.parse_args().subnets)))


if __name__ == "__main__":
    main()
