"""Somebody makes a cluster and then a Service in it: its API server asks, and the Service gets what policy wants."""

import base64
import json
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from governor import admission
from governor.admission import UndecidedError
from governor.core.policy import Clusters, Mode, ServiceAnnotations
from tests.scenarios.cluster_world import FREE, cluster, create
from tests.scenarios.world import World, nat_policy, subnet, vnet, vnet_body

INTERNAL: Final = "service.beta.kubernetes.io/azure-load-balancer-internal"
RULES: Final = Clusters(services=(ServiceAnnotations({INTERNAL: "true"}, {"app": "http-service"}),))


async def put_on(world: World, labels: dict[str, str]) -> Any:
    """What is put on a new Service of type LoadBalancer with these labels."""
    made = {"metadata": {"name": "web", "labels": labels}, "spec": {"type": "LoadBalancer"}}
    request = {
        "uid": "1",
        "kind": {"group": "", "version": "v1", "kind": "Service"},
        "operation": "CREATE",
        "namespace": "shop",
        "object": made,
    }
    raw = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}).encode()
    rules = (world.rules.policies, world.rules.ceiling)
    response = (await admission.admit(raw, cluster(), world.ports.ledger, rules)).response
    assert response.allowed
    return json.loads(base64.b64decode(response.patch)) if response.patch is not msgspec.UNSET else []


async def test_seed_c_a_webhook_annotates_services_of_type_load_balancer_by_label_rules(tmp_path: Path) -> None:
    world = World(tmp_path, nat_policy(occupied=Mode.ENFORCE, approvals=FREE, clusters=RULES))
    world.put_now(vnet("spoke-1"), vnet_body(("nodes", "10.0.1.0/24")))
    create(world, subnet("spoke-1", "nodes"))
    with pytest.raises(UndecidedError, match="nobody has looked at it yet"):
        await put_on(world, {"app": "http-service"})
    await world.quiet()
    assert await put_on(world, {"app": "http-service"}) == [
        {"op": "add", "path": "/metadata/annotations", "value": {INTERNAL: "true"}}
    ]
    assert await put_on(world, {"app": "batch"}) == []
