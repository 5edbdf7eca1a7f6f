"""Clusters leave by a proxy alone, whose credentials stay in their vault."""

import asyncio
import base64
import hashlib
import logging
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from msgspec.structs import replace

from governor import decisions
from governor.cli import main
from governor.core.cause import Cause, Source
from governor.core.plan import Gate
from governor.core.policy import Clusters, Mode, Policies, Policy, ProxyPolicy, Select
from governor.core.record import Became
from governor.core.step import WriteProxy
from governor.core.verdict import Result
from governor.loop import Rules
from simulator.faults import Fault
from simulator.server import serve
from simulator.vaults import GET_SECRET
from simulator.wire import Request, Response, answer
from tests.scenarios.cluster_world import AKS_API, FREE, cluster, create, type_of, verdicts
from tests.scenarios.cluster_world import body as cluster_body
from tests.scenarios.proxy_world import (
    ADDRESS,
    HOST,
    NODES,
    PASSWORD,
    PRIVATE,
    SHOWN,
    VAULT,
    approve,
    config,
    offers,
    privacy,
    proxied,
    reimages,
    secret,
    spoken,
    with_proxy,
)
from tests.scenarios.test_kills import SLOW
from tests.scenarios.world import GROUP, REGION, SUB, World, network, vnet
from tests.support.life import Life
from tests.support.transport import Moment


def nowhere(said: bytes) -> None:
    """The secret stands nowhere, in no form that anybody could read or test it by."""
    for one in (ADDRESS, PASSWORD, quote(PASSWORD, safe=""), unquote(PASSWORD)):
        assert one.encode() not in said
        for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5):
            assert digest(one.encode()).hexdigest().encode() not in said


async def done(world: World) -> list[tuple[str, str]]:
    return [(type(o.step).__name__, o.became.value) for r in await world.records() for o in r.outcomes]


async def test_seed_c_a_private_cluster_leaves_by_the_proxy_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world = with_proxy(tmp_path)
    create(world, NODES, **PRIVATE)
    await world.quiet()
    # Nothing is written, not even the subnet, before somebody agrees.
    assert (privacy(world), type_of(world), config(world)) == (None, "loadBalancer", {})
    await approve(world)
    assert config(world)["httpsProxy"] == ADDRESS
    assert (privacy(world), type_of(world)) == (False, "none")
    assert reimages(world) == 1
    stands = await verdicts(world)
    assert stands["cluster-proxy"] == (
        Result.COMPLIANT,
        f"proxy {SHOWN}; the proxy's subnet squid leaves by NAT gateway ng-squid",
    )
    assert stands["cluster-outbound-type"] == (Result.COMPLIANT, "outboundType none")
    every = {v.requirement: v for v in await world.ports.ledger.verdicts() if v.resource.endswith("/nodes")}
    assert (every["subnet-egress"].result, every["subnet-egress"].seen) == (
        Result.COMPLIANT,
        "no way out but the proxy",
    )
    # The proxy is there and proven before anything is taken away.
    assert await done(world) == [("WriteProxy", "Done"), ("WriteSubnet", "Done"), ("WriteCluster", "Done")]
    (record,) = [r for r in await world.records() if r.outcomes]
    assert [(one.word, one.seen) for one in record.proofs] == [
        ("configuration proven", "no way out but the proxy of its clusters; whether that answers is not seen")
    ]
    nowhere(spoken(tmp_path, caplog.text, repr(await world.records())))
    assert SHOWN in repr(await world.records())


async def led(folder: Path, *policies: Policy, **options: Any) -> World:
    """A World whose cluster leaves by the proxy already, because somebody agreed."""
    world = with_proxy(folder, *policies, **options)
    create(world, NODES, **PRIVATE)
    await world.quiet()
    await approve(world)
    assert (privacy(world), type_of(world)) == (False, "none")
    return world


def machine(world: World, name: str, runs: bool = True) -> None:
    """A virtual machine without anything public moves into the subnet of the nodes, or its interface alone."""
    nic = network(f"networkInterfaces/nic-{name}")
    configuration = {"name": "c", "properties": {"subnet": {"id": NODES}}}
    world.put_now(nic, {"location": REGION, "properties": {"ipConfigurations": [configuration]}})
    if runs:
        body = world.get(nic)
        body["properties"]["virtualMachine"] = {"id": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"}
        world.arm.load([body])


# ---- credentials ----------------------------------------------------------------------------------------------------


async def test_what_the_vault_says_anew_is_set_anew_after_approval(tmp_path: Path) -> None:
    world = await led(tmp_path)
    other = ADDRESS.replace(PASSWORD, "rotated-1")
    secret(world, value=other)
    await world.sweep()
    result, seen = (await verdicts(world))["cluster-proxy"]
    assert (result, seen) == (Result.VIOLATION, f"httpsProxy is {SHOWN} with other credentials")
    # The first approval was for another version of the secret.
    assert config(world)["httpsProxy"] == ADDRESS
    (offer,) = [o.withheld for o in await world.ports.ledger.offered() if o.withheld.remediation.steps]
    assert set(offer.remediation.disruptions) == {"outage", "irreversible"}
    await approve(world)
    assert (config(world)["httpsProxy"], reimages(world)) == (other, 2)
    assert (await verdicts(world))["cluster-proxy"][0] is Result.COMPLIANT
    nowhere(spoken(tmp_path, repr(await world.records())))
    assert b"rotated-1" not in spoken(tmp_path)
    # What it had before stands nowhere, so nobody can put it back.
    world.clock.advance(600)
    record = (await world.records())[-1]
    with pytest.raises(decisions.DecisionError, match="cannot be put back: what it held is in no record"):
        await decisions.undo(record.id, 7, ("ann", "no"), world.ports)


async def test_a_vault_that_lets_nobody_read_leaves_everything_as_it_is(tmp_path: Path) -> None:
    world = with_proxy(tmp_path, limited=True)
    create(world, NODES, **PRIVATE)
    await world.quiet()
    lacking = "the governor's identity lacks Key Vault Secrets User on vault kv-proxy (ForbiddenByRbac): grant it there"
    result, seen = (await verdicts(world))["cluster-proxy"]
    assert result is Result.UNKNOWN
    assert seen == f"secret address of vault kv-proxy could not be read: {lacking}"
    assert world.writes() == []
    assert {text for reasons in (await offers(world)).values() for _, text in reasons} == {seen}
    # When the right is there, the next look goes on.
    world.roles.give(VAULT, data=(GET_SECRET,))
    await world.sweep()
    await approve(world)
    assert (await verdicts(world))["cluster-proxy"][0] is Result.COMPLIANT


GONE = "vault kv-proxy has no secret address, or not that version of it"
UNREADABLE = [
    (Fault(path="^/vaults/kv-proxy/", count=None, drop="before"), "vault kv-proxy does not answer; is its name right"),
    (Fault(path="^/vaults/kv-proxy/", count=None, status=404, body={"error": {"code": "SecretNotFound"}}), GONE),
    (
        Fault(
            path="^/vaults/kv-proxy/",
            count=None,
            status=403,
            body={"error": {"code": "Forbidden", "innererror": {"code": "SecretDisabled"}}},
        ),
        "vault kv-proxy refuses it (SecretDisabled)",
    ),
    (Fault(path="^/vaults/kv-proxy/", count=None, status=200, body={"id": ADDRESS}), "answers is no secret"),
]


@pytest.mark.parametrize(("fault", "said"), UNREADABLE)
async def test_a_secret_that_cannot_be_read_is_unknown_and_said(tmp_path: Path, fault: Fault, said: str) -> None:
    world = with_proxy(tmp_path, faults=[fault])
    create(world, NODES, **PRIVATE)
    await world.quiet()
    result, seen = (await verdicts(world))["cluster-proxy"]
    assert (result, said in seen) == (Result.UNKNOWN, True), seen
    assert world.writes() == []
    nowhere(spoken(tmp_path, seen))


async def test_what_azure_says_of_a_password_is_repeated_without_it(tmp_path: Path) -> None:
    world = with_proxy(tmp_path)
    create(world, NODES, **PRIVATE)
    await world.quiet()
    said = f"The proxy URL '{ADDRESS}' of squid:{PASSWORD} (password {quote(PASSWORD)}) is not valid."
    refusal = {"code": "HTTPProxyWrongUrlError", "message": said}
    world.arm.faults.append(Fault(method="PUT", path="/managedClusters/k1$", status=400, body=refusal))
    await approve(world)
    failed = [o for r in await world.records() for o in r.outcomes if o.became is Became.FAILED]
    assert [o.detail.partition(":")[0] for o in failed] == ["HTTPProxyWrongUrlError"]
    assert "***" in failed[0].detail
    assert (privacy(world), type_of(world)) == (None, "loadBalancer")
    nowhere(spoken(tmp_path, repr(await world.records())))


async def test_a_write_that_did_not_hold_is_told_without_the_password(tmp_path: Path) -> None:
    world = with_proxy(tmp_path)
    create(world, NODES, **PRIVATE)
    await world.quiet()

    def forgetful(moment: Moment, request: Request, answer: Response | None) -> Response | None:
        """What AKS shows after the write is another password than it was given."""
        if moment == "after" and answer is not None and request.method == "GET" and request.path.endswith("/k1"):
            return Response(answer.status, answer.headers, answer.body.replace(PASSWORD.encode(), b"0ther"))
        return None

    world.transport.hooks.append(forgetful)
    await approve(world)
    failed = [o for r in await world.records() for o in r.outcomes if o.became is Became.FAILED]
    wrong = "the write did not hold: properties.httpProxyConfig.httpsProxy should be"
    assert failed[0].detail.startswith(wrong)
    assert privacy(world) is None
    nowhere(spoken(tmp_path, repr(await world.records())))
    assert b"0ther" not in spoken(tmp_path)


POLICY = f"""name: proxied
mode: enforce
occupied: enforce
select: {{virtualNetworks: ["spoke-*"]}}
egress: {{proxy: {{https: "@keyvault:kv-proxy/address", proxyHost: {HOST}}}}}
clusters: {{outboundType: none}}
"""


async def test_no_command_says_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await led(tmp_path / "ledger")
    secret(world, value=ADDRESS.replace("proxy.corp", "new.corp"))
    await world.sweep()
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "proxied.yaml").write_text(POLICY)
    server = await serve(world.arm)
    monkeypatch.setenv("EGRESS_GOVERNOR_ARM_ENDPOINT", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("EGRESS_GOVERNOR_STORE", f"sqlite:{tmp_path / 'ledger'}")
    monkeypatch.setenv("EGRESS_GOVERNOR_POLICIES", str(tmp_path / "policies"))
    monkeypatch.setenv("COLUMNS", "300")
    record = (await world.records())[0].id
    said = ""
    try:
        for command in (
            ("explain", cluster()),
            ("explain", NODES),
            ("explain", NODES, "--for-aks"),
            ("plan", "--scope", SUB, "--format", "json"),
            ("records", "list"),
            ("records", "show", record),
            ("records", "show", record, "--format", "json"),
            ("addresses",),
            ("notices",),
            ("policies", "check", str(tmp_path / "policies")),
        ):
            await asyncio.to_thread(main, list(command))
            told = capfd.readouterr()
            assert not told.err, (command, told.err)
            said += told.out
    finally:
        await server.close()
    # The commands did see both addresses.
    assert {SHOWN, "http://new.corp.example:3128"} <= set(re.findall(r"http://[a-z.]+:3128", said))
    nowhere(spoken(tmp_path, said))


async def test_a_secret_that_is_gone_at_the_moment_of_need_is_not_written(tmp_path: Path) -> None:
    world = with_proxy(tmp_path)
    create(world, NODES, **PRIVATE)
    await world.quiet()
    # The write asks for the version that was approved.
    gone = Fault(path="/secrets/address/[0-9a-f]{32}$", status=404, body={"error": {"code": "SecretNotFound"}})
    world.arm.faults.append(gone)
    await approve(world)
    (failed,) = [o for r in await world.records() for o in r.outcomes if o.became is Became.FAILED]
    assert failed.detail == f"a secret that it needs could not be read: {GONE}"
    assert (privacy(world), type_of(world)) == (None, "loadBalancer")


async def test_a_vault_is_asked_only_where_a_cluster_is(tmp_path: Path) -> None:
    world = with_proxy(tmp_path)
    await world.govern_once(vnet("spoke-1"))
    await world.sweep()
    assert privacy(world) is False  # nobody lives there
    assert not [path for path in world.transport.of("GET") if path.startswith("/vaults/")]
    create(world, NODES, outbound="none", **PRIVATE)
    await world.quiet()
    assert {path for path in world.transport.of("GET") if path.startswith("/vaults/")} == {
        "/vaults/kv-proxy/secrets/address"
    }


# ---- what it must not break -----------------------------------------------------------------------------------------


async def test_a_proxy_without_a_way_out_of_its_own_holds_everything_back(tmp_path: Path) -> None:
    world = with_proxy(tmp_path, egress=False)
    create(world, NODES, **PRIVATE)
    await world.quiet()
    said = "the proxy's subnet squid leaves by default outbound access, which is no way out to rely on"
    assert (await verdicts(world))["cluster-proxy"] == (Result.VIOLATION, f"no proxy is configured; {said}")
    assert [*(await offers(world)).values()] == [((Gate.NEEDS, f"{said}: mend that first"),)]
    assert world.writes() == []


async def test_a_proxy_that_lost_its_way_out_is_told(tmp_path: Path) -> None:
    world = await led(tmp_path)
    body = world.get(HOST)
    del body["properties"]["natGateway"]
    world.put_now(HOST, body)
    await world.sweep()  # a write of a subnet of others wakes nobody else
    result, seen = (await verdicts(world))["cluster-proxy"]
    assert result is Result.VIOLATION
    assert seen.startswith("the proxy's subnet squid leaves by default outbound access")
    assert [gate for reasons in (await offers(world)).values() for gate, _ in reasons] == [Gate.NEEDS]


async def test_machines_in_the_subnet_are_named_and_only_the_proxy_is_set(tmp_path: Path) -> None:
    world = with_proxy(tmp_path)
    machine(world, "vm-old")
    create(world, NODES, **PRIVATE)
    world.clock.advance(24 * 3600)
    await world.quiet()
    said = "virtual machine vm-old would be cut off: give it a way out of its own, or move it out of the subnet"
    every = [reason for reasons in (await offers(world)).values() for reason in reasons]
    assert (Gate.OCCUPANTS, said) in every
    await approve(world)
    assert (config(world)["httpsProxy"], privacy(world), type_of(world)) == (ADDRESS, None, "loadBalancer")
    assert await done(world) == [("WriteProxy", "Done")]
    assert (Gate.OCCUPANTS, said) in [reason for reasons in (await offers(world)).values() for reason in reasons]


async def test_a_scale_set_of_others_in_the_subnet_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    world = with_proxy(tmp_path)
    instance = f"{GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/workers/virtualMachines/0"
    nodes = world.get(NODES)
    nodes["properties"]["ipConfigurations"] = [{"id": f"{instance}/networkInterfaces/nic/ipConfigurations/c"}]
    world.arm.load([nodes])
    create(world, NODES, **PRIVATE)
    await world.quiet()
    every = [reason for reasons in (await offers(world)).values() for reason in reasons]
    assert (Gate.OCCUPANTS, "hazards not read: scale set workers may depend on the way out as it is") in every
    assert world.writes() == []


async def test_nodes_do_not_lose_an_api_server_that_is_public(tmp_path: Path) -> None:
    world = with_proxy(tmp_path)
    create(world, NODES, bootstrapProfile=PRIVATE["bootstrapProfile"])
    await world.quiet()
    said = "the API server of cluster k1 is public, and its nodes reach it past the proxy: without another way out "
    every = [reason for reasons in (await offers(world)).values() for reason in reasons]
    assert (Gate.FORECAST, f"{said}they would lose it") in every
    await approve(world)
    assert (config(world)["httpsProxy"], privacy(world), type_of(world)) == (ADDRESS, None, "loadBalancer")


async def test_a_load_balancer_that_stays_is_named(tmp_path: Path) -> None:
    world = with_proxy(tmp_path, proxied(clusters=Clusters()))
    create(world, NODES, **PRIVATE)
    await world.quiet()
    said = "the nodes of cluster k1 leave by its load balancer, past the proxy: say clusters.outboundType none"
    every = [text for reasons in (await offers(world)).values() for _, text in reasons]
    assert any(text.startswith(said) for text in every)
    # Its proxy can be set all the same.
    await approve(world)
    assert (config(world)["httpsProxy"], privacy(world)) == (ADDRESS, None)


async def test_windows_nodes_have_no_proxy(tmp_path: Path) -> None:
    world = with_proxy(tmp_path)
    body = cluster_body(NODES, NODES, **PRIVATE)
    body["properties"]["agentPoolProfiles"][1] |= {"osType": "Windows", "mode": "User"}
    world.put_now(cluster(), body, AKS_API)
    await world.quiet()
    every = [text for reasons in (await offers(world)).values() for _, text in reasons]
    assert every == ["pool p1 runs Windows, and AKS gives clusters with Windows nodes no proxy"]
    assert world.writes() == []


async def test_what_somebody_else_set_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    world = with_proxy(tmp_path)
    create(world, NODES, **PRIVATE)
    await world.quiet()
    theirs: dict[str, Any] = {"httpProxyConfig": {"httpProxy": "http://theirs:8080"}}

    def just_before(moment: Moment, request: Request, _: Response | None) -> Response | None:
        if moment == "before" and "/secrets/address/" in request.path and not config(world):
            create(world, NODES, **PRIVATE, **theirs)
            world.clock.advance(900)
        return None

    world.transport.hooks.append(just_before)
    await approve(world)
    stale = [o for r in await world.records() for o in r.outcomes if o.became is Became.STALE]
    assert [o.detail for o in stale] == [
        "its proxy was none when the plan was made and is http://theirs:8080 now",
    ]
    assert config(world)["httpProxy"] == "http://theirs:8080"
    assert privacy(world) is None


# ---- on the way -----------------------------------------------------------------------------------------------------


async def test_a_throttled_cluster_goes_on_without_being_approved_again(tmp_path: Path) -> None:
    world = with_proxy(tmp_path)
    create(world, NODES, **PRIVATE)
    await world.quiet()
    puts = []

    def once(moment: Moment, request: Request, _: Response | None) -> Response | None:
        """The second write of the cluster is one too many in a minute."""
        if moment == "before" and request.method == "PUT" and request.path.endswith("/k1"):
            puts.append(request)
            if len(puts) == 2:
                return answer(429, {"code": "Throttled", "message": "The request is throttled"}, {"Retry-After": "60"})
        return None

    world.transport.hooks.append(once)
    await approve(world)
    assert (privacy(world), type_of(world), reimages(world)) == (False, "none", 1)
    assert [name for name, became in await done(world) if became == "Done"] == [
        "WriteProxy",
        "WriteSubnet",
        "WriteCluster",
    ]


async def test_killed_at_any_point_the_next_run_ends_it_and_no_secret_is_left(tmp_path: Path) -> None:
    async def asked(folder: Path) -> tuple[World, Cause]:
        world = with_proxy(folder, proxied(approvals=FREE), durations=SLOW)
        create(world, NODES, **PRIVATE)
        world.clock.advance(24 * 3600)
        world.arm.settle()
        world.arm.take_events()
        return world, Cause(source=Source.MANUAL, time=world.clock.now(), subject=vnet("spoke-1"))

    life = Life()
    world, cause = await asked(tmp_path / "whole")
    await world.govern_and_die(cause, life)
    await world.quiet()
    assert type_of(world) == "none"
    for number, point in enumerate(life.points):
        folder = tmp_path / str(number)
        world, cause = await asked(folder)
        await world.govern_and_die(cause, Life(dies_at=number))
        # Whatever was taken away, the proxy was there before.
        assert privacy(world) is None or config(world)["httpsProxy"] == ADDRESS, point
        await world.quiet()
        assert (privacy(world), type_of(world), reimages(world)) == (False, "none", 1), point
        nowhere(spoken(folder))


async def test_seed_c_all_of_it_is_taken_back(tmp_path: Path) -> None:
    world = await led(tmp_path)
    world.clock.advance(600)
    (record,) = [r for r in await world.records() if r.outcomes]
    await decisions.undo(record.id, 7, ("ann", "back"), world.ports)
    await world.quiet()
    assert (privacy(world), type_of(world), config(world)["enabled"]) == (None, "loadBalancer", False)
    assert (await done(world))[3:] == [("WriteCluster", "Done"), ("WriteSubnet", "Done"), ("WriteProxy", "Done")]
    nowhere(spoken(tmp_path))


async def test_a_proxy_is_not_taken_from_nodes_that_have_nothing_else(tmp_path: Path) -> None:
    world = with_proxy(tmp_path)
    machine(world, "vm-old", runs=False)
    create(world, NODES, **PRIVATE)
    world.clock.advance(24 * 3600)
    await world.quiet()
    await approve(world)  # the proxy alone
    assert world.ask("DELETE", network("networkInterfaces/nic-vm-old")).status in (200, 202)
    world.clock.advance(24 * 3600)
    await world.sweep()
    await approve(world)  # the rest
    assert (privacy(world), type_of(world)) == (False, "none")
    world.clock.advance(600)
    first = next(r for r in await world.records() if any(isinstance(o.step, WriteProxy) for o in r.outcomes))
    await decisions.undo(first.id, 7, ("ann", ""), world.ports)
    await world.quiet()
    assert config(world)["enabled"] is True
    (undo,) = [r for r in await world.records() if r.undo]
    told = [r.text for one in undo.withheld for r in one.reasons]
    assert told == ["the nodes in nodes would have no way out without the proxy"]


async def test_a_proxy_without_credentials_comes_back(tmp_path: Path) -> None:
    world = with_proxy(tmp_path, proxied(approvals=FREE))
    old = {"httpsProxy": "http://old:3128", "noProxy": ["theirs.example"]}
    create(world, NODES, **PRIVATE, httpProxyConfig=old)
    await world.quiet()
    assert (config(world)["httpsProxy"], type_of(world)) == (ADDRESS, "none")
    world.clock.advance(600)
    (record,) = [r for r in await world.records() if r.outcomes]
    await decisions.undo(record.id, 7, ("ann", ""), world.ports)
    await world.quiet()
    assert (config(world)["httpsProxy"], config(world)["enabled"]) == ("http://old:3128", True)
    assert "theirs.example" in config(world)["noProxy"]
    assert (privacy(world), type_of(world)) == (None, "loadBalancer")


# ---- other proxies --------------------------------------------------------------------------------------------------

PEM = "-----BEGIN CERTIFICATE-----\nTUlJ\n-----END CERTIFICATE-----\n"


async def test_plain_addresses_certificates_and_what_goes_past_the_proxy(tmp_path: Path) -> None:
    plain = ProxyPolicy(
        http="http://proxy:3128",
        https="https://proxy:3129",
        no_proxy=("10.0.0.0/8", ".corp.example"),
        trusted_ca="@keyvault:https://kv-proxy.vault.azure.net/secrets/ca",
    )
    world = with_proxy(tmp_path, proxied(plain, approvals=FREE))
    secret(world, "ca", PEM)
    create(world, NODES, **PRIVATE)
    await world.quiet()
    there_is = config(world)
    assert (there_is["httpProxy"], there_is["httpsProxy"]) == ("http://proxy:3128", "https://proxy:3129")
    assert base64.b64decode(there_is["trustedCa"]).decode().strip() == PEM.strip()
    assert {"10.0.0.0/8", ".corp.example", "konnectivity"} <= set(there_is["noProxy"])
    assert (privacy(world), type_of(world), reimages(world)) == (False, "none", 1)
    assert there_is["trustedCa"].encode() not in spoken(tmp_path)
    # Another entry is added to what is there; the rest of it stays.
    world.rules = Rules(
        Policies((proxied(replace(plain, no_proxy=(*plain.no_proxy, "new.example")), approvals=FREE),)), Mode.ENFORCE
    )
    await world.sweep()
    assert {"10.0.0.0/8", "new.example", "konnectivity"} <= set(config(world)["noProxy"])
    assert reimages(world) == 2


async def test_a_cluster_in_a_network_of_azures_gets_the_proxy_and_nothing_else(tmp_path: Path) -> None:
    policy = proxied(select=Select(), clusters=Clusters(), approvals=FREE)
    world = with_proxy(tmp_path, policy)
    create(world, **PRIVATE)
    await world.quiet()
    assert config(world)["httpsProxy"] == ADDRESS
    assert (await verdicts(world))["cluster-proxy"][0] is Result.COMPLIANT
    assert not any("/MC_" in write for write in world.writes())


async def test_the_way_out_of_a_proxy_in_another_subscription_is_looked_at(tmp_path: Path) -> None:
    away = "/subscriptions/00000000-0000-0000-0000-00000000000b/resourceGroups/rg-proxy/providers/Microsoft.Network"
    host = f"{away}/virtualNetworks/proxies/subnets/squid"
    world = with_proxy(tmp_path, proxied(ProxyPolicy(https="@keyvault:kv-proxy/address", proxy_host=host)))
    network_of = {"addressSpace": {"addressPrefixes": ["10.8.0.0/16"]}, "subnets": []}
    world.arm.load([{"id": f"{away}/virtualNetworks/proxies", "location": REGION, "properties": network_of}])
    create(world, NODES, **PRIVATE)
    await world.quiet()
    assert "the proxy's subnet squid does not exist" in (await verdicts(world))["cluster-proxy"][1]
    assert world.writes() == []
