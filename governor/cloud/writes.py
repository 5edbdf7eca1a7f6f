"""The only calls that change something: a Step and the body to send in, Azure's first answer out."""

import importlib
from collections.abc import Awaitable, Mapping
from typing import Any, Final, assert_never

import msgspec
from azure.core.exceptions import AzureError
from azure.core.rest import AsyncHttpResponse

from governor.cloud import bodies, errors, versions
from governor.cloud.arm import Answer, Arm, checked
from governor.core import ids
from governor.core.step import (
    Body,
    CreateNatGateway,
    CreatePublicIp,
    CreatePublicIpPrefix,
    CreateResourceGroup,
    CreateRouteTable,
    DeleteAddress,
    DeleteNatGateway,
    DeletePeering,
    DeleteRoute,
    Step,
    WriteAzurePolicy,
    WriteCluster,
    WriteInterface,
    WritePeering,
    WritePropagation,
    WriteProxy,
    WriteRoute,
    WriteSubnet,
    WriteTag,
)

# Imported by name when something is written for the first time: reading needs none of it, it costs half a second, and
# a type checker would read 200,000 generated lines.
_NETWORK: Final = "azure.mgmt.network.aio", "NetworkManagementClient"
_POLICY: Final = "azure.mgmt.resource.policy.aio", "PolicyClient"
_RESOURCES: Final = "azure.mgmt.resource.resources.aio", "ResourceManagementClient"


class Writer:
    """The generated clients, one of a kind per subscription, all on the pipeline of one Arm."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._clients: dict[tuple[str, str], Any] = {}

    async def send(self, step: Step, body: Body | None, headers: Mapping[str, str]) -> Answer:
        """A Step, the body to write (None: delete) and what to say besides in, the first answer out."""
        content = b"" if body is None else msgspec.json.encode(bodies.writable(body))
        try:
            return await self._call(step, content, {"headers": dict(headers), "polling": False, "cls": _first})
        except AzureError as error:
            raise errors.of_sdk(error) from error
        except ValueError as error:  # the client reads the body of the answer as JSON, and this is none
            raise errors.Unclear(f"the answer to the write cannot be read: {error}") from error

    async def _call(self, step: Step, content: bytes, options: dict[str, Any]) -> Answer:
        parts = ids.parse(step.target)
        group, top, name = parts.resource_group, parts.names[0], parts.name
        if isinstance(step, CreateResourceGroup):
            options.pop("polling")  # this call is never a long operation
            groups = self._client(_RESOURCES, parts.subscription).resource_groups
            return checked(await groups.create_or_update(name, content, **options))
        if isinstance(step, WriteCluster | WriteProxy):
            # The generated client would add nothing to this one call, and 30 MiB to a worker.
            return await self._arm.put(self._arm.url(step.target, versions.CLUSTERS), content, options["headers"])
        if isinstance(step, WriteAzurePolicy):
            return await self._azure_policy(step, content, options)
        network = self._client(_NETWORK, parts.subscription)
        match step:
            case WriteSubnet():
                begun = network.subnets.begin_create_or_update(group, top, name, content, **options)
            case WritePeering():
                sync = {"sync_remote_address_space": "true"} if step.sync else {}
                peerings = network.virtual_network_peerings
                begun = peerings.begin_create_or_update(group, top, name, content, **sync, **options)
            case WriteRoute():
                begun = network.routes.begin_create_or_update(group, top, name, content, **options)
            case CreateNatGateway():
                begun = network.nat_gateways.begin_create_or_update(group, name, content, **options)
            case WriteInterface():
                begun = network.network_interfaces.begin_create_or_update(group, name, content, **options)
            case WriteTag() if parts.type == ids.NAT_GATEWAY:
                begun = network.nat_gateways.begin_create_or_update(group, name, content, **options)
            case WriteTag() | DeleteAddress():
                prefix = parts.type == ids.PUBLIC_IP_PREFIX
                addresses = network.public_ip_prefixes if prefix else network.public_ip_addresses
                if isinstance(step, DeleteAddress):
                    begun = addresses.begin_delete(group, name, **options)
                else:
                    begun = addresses.begin_create_or_update(group, name, content, **options)
            case CreatePublicIp():
                begun = network.public_ip_addresses.begin_create_or_update(group, name, content, **options)
            case CreatePublicIpPrefix():
                begun = network.public_ip_prefixes.begin_create_or_update(group, name, content, **options)
            case CreateRouteTable() | WritePropagation():
                begun = network.route_tables.begin_create_or_update(group, name, content, **options)
            case DeleteNatGateway():
                begun = network.nat_gateways.begin_delete(group, name, **options)
            case DeleteRoute():
                begun = network.routes.begin_delete(group, top, name, **options)
            case DeletePeering():
                begun = network.virtual_network_peerings.begin_delete(group, top, name, **options)
            case _:
                assert_never(step)
        return checked(await _answer_of(begun))

    async def _azure_policy(self, step: WriteAzurePolicy, content: bytes, options: dict[str, Any]) -> Answer:
        """No call of these is ever a long operation, and the client has none for exemptions."""
        options.pop("polling")
        parts = ids.parse(step.target)
        if parts.type == ids.POLICY_EXEMPTION:
            url = self._arm.url(step.target, versions.POLICY_EXEMPTIONS)
            if step.to is None:
                return await self._arm.delete(url, options["headers"])
            return await self._arm.put(url, content, options["headers"])
        client = self._client(_POLICY, parts.subscription)
        if parts.type == ids.POLICY_DEFINITION:
            definitions = client.policy_definitions
            if step.to is None:
                return checked(await definitions.delete(parts.name, **options))
            return checked(await definitions.create_or_update(parts.name, content, **options))
        assignments, scope = client.policy_assignments, f"/subscriptions/{parts.subscription}"
        if step.to is None:
            return checked(await assignments.delete(scope, parts.name, **options))
        return checked(await assignments.create(scope, parts.name, content, **options))

    def _client(self, which: tuple[str, str], subscription: str) -> Any:
        module, client = which
        kept = self._clients.get((client, subscription))
        if kept is None:
            kept = getattr(importlib.import_module(module), client)(
                # Never asked: the policy of the shared pipeline signs. The client only insists on having one.
                credential=self._arm.authentication,
                subscription_id=subscription,
                base_url=self._arm.where.url,
                authentication_policy=self._arm.authentication,
                pipeline=self._arm.pipeline,
            )
            self._clients[client, subscription] = kept
        return kept


async def _answer_of(begun: Awaitable[Any]) -> AsyncHttpResponse:
    poller = await begun
    response: AsyncHttpResponse = await poller.result()
    return response


def _first(response: Any, _body: object, _headers: object) -> Any:
    """What the client makes of an answer: the answer itself, because its headers say how to wait."""
    return response.http_response
