"""Clusters leave by a proxy alone, whose credentials stay in their vault."""

import hashlib
import logging
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest

from governor.core.verdict import Result
from tests.scenarios.cluster_world import create, type_of, verdicts
from tests.scenarios.proxy_world import (
    ADDRESS,
    NODES,
    PASSWORD,
    PRIVATE,
    SHOWN,
    approve,
    config,
    privacy,
    reimages,
    spoken,
    with_proxy,
)


def nowhere(said: bytes) -> None:
    """The secret stands nowhere, in no form that anybody could read or test it by."""
    for one in (ADDRESS, PASSWORD, quote(PASSWORD, safe=""), unquote(PASSWORD)):
        assert one.encode() not in said
        for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5):
            assert digest(one.encode()).hexdigest().encode() not in said


async def done(world: Any) -> list[tuple[str, str]]:
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
    nowhere(spoken(tmp_path, caplog.text, repr(await world.records())))
    assert SHOWN in repr(await world.records())
