"""One idempotent edit of one resource, with its precondition and its inverse.

`edit` is pure: the raw body in, the wanted body out; a body that already holds comes back unchanged, and then there is
nothing to write (architecture.md, rule 6). Members that a step does not name are never touched.
"""

from enum import StrEnum
from typing import Any, assert_never

from governor.core import (
    address_step,
    attachment,
    cluster_step,
    creation,
    ids,
    peering,
    proxy_step,
    request_step,
    routing,
)
from governor.core.address_step import DeleteAddress, WriteInterface, WriteTag
from governor.core.attachment import Attachment, WriteSubnet
from governor.core.cluster_step import WriteCluster
from governor.core.creation import (
    CreateNatGateway,
    CreatePublicIp,
    CreatePublicIpPrefix,
    CreateResourceGroup,
    DeleteNatGateway,
)
from governor.core.peering import DeletePeering, Flags, WritePeering
from governor.core.proxy_step import WriteProxy
from governor.core.request_step import WriteAzurePolicy
from governor.core.routing import CreateRouteTable, DeleteRoute, RouteTo, WritePropagation, WriteRoute

__all__ = [
    "Attachment",
    "Body",
    "CreateNatGateway",
    "CreatePublicIp",
    "CreatePublicIpPrefix",
    "CreateResourceGroup",
    "CreateRouteTable",
    "DeleteAddress",
    "DeleteNatGateway",
    "DeletePeering",
    "DeleteRoute",
    "Flags",
    "Reversibility",
    "RouteTo",
    "Step",
    "WriteAzurePolicy",
    "WriteCluster",
    "WriteInterface",
    "WritePeering",
    "WritePropagation",
    "WriteProxy",
    "WriteRoute",
    "WriteSubnet",
    "WriteTag",
    "conflict",
    "edit",
    "intended",
    "inverse",
    "name",
    "reversibility",
    "touched",
]

Body = dict[str, Any]


class Reversibility(StrEnum):
    REVERSIBLE = "reversible"
    LIMITED = "limited"
    IRREVERSIBLE = "irreversible"


Step = (
    CreateResourceGroup
    | CreatePublicIp
    | CreatePublicIpPrefix
    | CreateNatGateway
    | CreateRouteTable
    | WriteRoute
    | WritePropagation
    | WritePeering
    | WriteSubnet
    | WriteCluster
    | WriteProxy
    | WriteInterface
    | WriteTag
    | DeleteAddress
    | DeleteNatGateway
    | DeleteRoute
    | DeletePeering
    | WriteAzurePolicy
)


def name(step: Step) -> str:
    """A step in, its name out."""
    return type(step).__name__


def edit(step: Step, body: Body | None) -> Body | None:
    """A step and the raw body of its target (None: absent) in, the wanted body out (None: absent).

    A resource that somebody made meanwhile under the name of one of ours is returned as it is: it is adopted only if
    `conflict` says nothing against it.
    """
    match step:
        case WriteSubnet():
            return None if body is None else attachment.edited(step, body)
        case WriteCluster():
            return None if body is None else cluster_step.edited(step, body)
        case WriteProxy():
            return None if body is None else proxy_step.edited(step, body)
        case WriteInterface() | WriteTag() | DeleteAddress():
            return address_step.edited(step, body)
        case WriteAzurePolicy():
            return request_step.edited(step, body)
        case WriteRoute():
            return routing.route_body(step.to, body)
        case WritePropagation():
            return None if body is None else routing.propagation_body(step, body)
        case WritePeering():
            return peering.edited(step, body)
        case CreateRouteTable():
            return routing.created(step) if body is None else body
        case CreateResourceGroup() | CreatePublicIp() | CreatePublicIpPrefix() | CreateNatGateway():
            return creation.created(step) if body is None else body
        case DeleteNatGateway() | DeleteRoute() | DeletePeering():
            return None
    assert_never(step)


def conflict(step: Step, body: Body | None) -> str | None:
    """A step and the raw body of its target in; why the step no longer fits what is there, in words, or None."""
    match step:
        case WriteSubnet():
            return attachment.conflict(step, body)
        case WriteCluster():
            return cluster_step.conflict(step, body)
        case WriteProxy():
            return proxy_step.conflict(step, body)
        case WriteInterface() | WriteTag() | DeleteAddress():
            return address_step.conflict(step, body)
        case WriteAzurePolicy():
            return request_step.conflict(step, body)
        case WriteRoute() | DeleteRoute():
            return routing.route_conflict(step, body)
        case WritePropagation():
            return "the route table is gone" if body is None else None
        case WritePeering() | DeletePeering():
            return peering.conflict(step, body)
        case CreateRouteTable():
            return None if body is None else routing.table_conflict(step, body)
        case CreateResourceGroup() | CreatePublicIp() | CreatePublicIpPrefix() | CreateNatGateway():
            return creation.conflict(step, body)
        case DeleteNatGateway():
            return None
    assert_never(step)


def inverse(step: Step) -> Step | None:
    """A step in, the step that takes it back out; None where nothing is to be taken back.

    Resource groups and addresses stay: an address that is deleted is lost for good (policy-language.md, `delete`).
    A route table that nobody uses any more stays, too: somebody may have put routes of his own into it.
    """
    match step:
        case WriteSubnet():
            return WriteSubnet(step.target, to=step.was, was=step.to)
        case WriteCluster() | WriteProxy():
            return step.inverse
        case WriteRoute():
            gone = DeleteRoute(step.target, step.to)
            return gone if step.was is None else WriteRoute(step.target, step.was, step.to)
        case WritePropagation():
            return WritePropagation(step.target, step.was, step.disabled)
        case WritePeering(was=None):
            return DeletePeering(step.target, step.remote)
        case WritePeering(was=was):
            return None if was is None or was == step.to else WritePeering(step.target, step.remote, was, step.to)
        case WriteInterface() | WriteTag() | DeleteAddress():
            return address_step.inverse(step)
        case WriteAzurePolicy():
            return request_step.inverse(step)
        case CreateNatGateway():
            return DeleteNatGateway(step.target)
        case CreateResourceGroup() | CreatePublicIp() | CreatePublicIpPrefix() | CreateRouteTable():
            return None
        case DeleteNatGateway() | DeleteRoute() | DeletePeering():
            return None
    assert_never(step)


def touched(step: Step) -> tuple[str, ...]:
    """A step in, the keys of the whole resources that its write changes out: a peering changes both networks."""
    whole = ids.key(ids.top_level(step.target))
    return (whole, ids.key(step.remote)) if isinstance(step, WritePeering | DeletePeering) else (whole,)


def reversibility(step: Step) -> Reversibility:
    """A step in, how far undo can take it back out."""
    match step:
        case WriteSubnet() | WriteRoute() | WritePropagation() | WritePeering() | WriteTag():
            return Reversibility.REVERSIBLE
        case WriteAzurePolicy():
            return Reversibility.REVERSIBLE
        case WriteInterface():
            return Reversibility.LIMITED if step.lost else Reversibility.REVERSIBLE
        case WriteCluster():
            if step.is_final:
                return Reversibility.IRREVERSIBLE
            return Reversibility.REVERSIBLE if step.inverse else Reversibility.LIMITED
        case WriteProxy():
            return Reversibility.IRREVERSIBLE if step.lost else Reversibility.REVERSIBLE
        case CreateResourceGroup() | CreatePublicIp() | CreatePublicIpPrefix() | CreateNatGateway():
            return Reversibility.LIMITED
        case CreateRouteTable():
            return Reversibility.LIMITED
        case DeleteNatGateway() | DeleteRoute() | DeletePeering() | DeleteAddress():
            return Reversibility.IRREVERSIBLE
    assert_never(step)


def intended(step: Step) -> frozenset[tuple[str, ...]]:
    """A step in, the paths of members it means to change out; every other member must survive the write."""
    match step:
        case WriteSubnet():
            return attachment.intended(step)
        case WriteCluster():
            return cluster_step.intended(step)
        case WriteProxy():
            return proxy_step.intended(step)
        case WriteInterface() | WriteTag() | DeleteAddress():
            return address_step.intended(step)
        case WriteAzurePolicy():
            return request_step.intended(step)
        case WritePeering():
            return peering.intended(step)
        case WriteRoute():
            return frozenset(
                {("properties", member) for member in ("addressPrefix", "nextHopType", "nextHopIpAddress")}
            )
        case WritePropagation():
            return frozenset({("properties", "disableBgpRoutePropagation")})
        case _:
            return frozenset()
