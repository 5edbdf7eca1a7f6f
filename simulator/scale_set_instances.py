"""The machines of a scale set with their interfaces and public addresses: a GET in, what is there out.

None of them is a resource of its own: they are in no list of resources, and nobody writes or deletes them alone.
"""

import hashlib
from collections.abc import Iterator

from simulator import errors
from simulator.calls import Call
from simulator.ids import SCALE_SET, Address
from simulator.lists import paged
from simulator.network import missing
from simulator.references import NAT_RULES, POOLS
from simulator.scale_set_model import configurations_of, instances_of, interfaces_of, outdated
from simulator.store import Stored
from simulator.wire import Body, Response, answer, members, text
from simulator.world import World

MACHINES = "virtualmachines"
INTERFACES = f"{MACHINES}/networkinterfaces"
ADDRESSES = f"{INTERFACES}/ipconfigurations/publicipaddresses"
SHORT = {"networkinterfaces": INTERFACES, "publicipaddresses": ADDRESSES}
"""Lists right below the set, of all its machines."""


def answered_of_instances(world: World, call: Call) -> Response:
    """A call on something inside a scale set in, one of them or a list out."""
    address, method = call.address, call.request.method
    if method != "GET":
        raise errors.not_modelled(f"{method} on {address.type}")
    top = world.store.get(address.top.key)
    if top is None:
        raise missing(world.store, address)
    inner = address.type_key.removeprefix(f"{SCALE_SET}/")
    kind = SHORT.get(inner, inner) if address.is_collection else inner
    found = list(_listed(top, kind))
    if address.is_collection:
        held = address.parent.key if address.parent is not None else ""
        inside = [one for one in found if text(one["id"]).casefold().startswith(f"{held}/")]
        if not inside and held != address.top.key and not _is_there(top, address):
            raise missing(world.store, address)
        return paged(world, call, inside, dict)
    for one in found:
        if text(one["id"]).casefold() == address.key:
            return answer(200, one)
    raise missing(world.store, address)


def _is_there(top: Stored, address: Address) -> bool:
    """Whether the machine that a list is asked of is there, though the list is empty."""
    return bool(address.names[1:]) and address.names[1] in instances_of(top.content)


def _listed(top: Stored, kind: str) -> Iterator[Body]:
    content, late = top.content, outdated(top.content)
    for number, model in instances_of(content).items():
        machine = f"{top.id}/virtualMachines/{number}"
        if kind == MACHINES:
            yield _machine(top, content, number, model, is_latest=number not in late)
            continue
        for interface in interfaces_of(model):
            interface_id = f"{machine}/networkInterfaces/{text(interface.get('name'))}"
            if kind == INTERFACES:
                yield _interface(interface_id, machine, interface)
            elif kind == ADDRESSES:
                yield from _addresses(interface_id, interface)
            else:
                raise errors.not_modelled(f"'{kind}' of scale sets")


def _machine(top: Stored, content: Body, number: str, model: Body, *, is_latest: bool) -> Body:
    machine = f"{top.id}/virtualMachines/{number}"
    held = [{"id": f"{machine}/networkInterfaces/{text(one.get('name'))}"} for one in interfaces_of(model)]
    shown: Body = {"name": f"{top.name}_{number}", "id": machine, "type": f"{top.type}/virtualMachines"}
    return shown | {
        "location": content.get("location"),
        "instanceId": number,
        "sku": {"name": members(content.get("sku")).get("name")},
        "properties": {
            "latestModelApplied": is_latest,
            "networkProfile": {"networkInterfaces": held},
            "networkProfileConfiguration": members(model.get("networkProfile")),
            "provisioningState": "Succeeded",
        },
    }


def _interface(interface_id: str, machine: str, interface: Body) -> Body:
    template = members(interface.get("properties"))
    configurations = []
    for number, configuration in enumerate(configurations_of(interface)):
        inner = members(configuration.get("properties"))
        held = f"{interface_id}/ipConfigurations/{text(configuration.get('name'))}"
        public = members(inner.get("publicIPAddressConfiguration"))
        properties: Body = {"provisioningState": "Succeeded", "privateIPAllocationMethod": "Dynamic"}
        properties |= {name: inner[name] for name in ("subnet", POOLS, NAT_RULES) if name in inner}
        properties["primary"] = inner.get("primary", number == 0)
        properties["privateIPAddressVersion"] = inner.get("privateIPAddressVersion", "IPv4")
        if public:
            properties["publicIPAddress"] = {"id": f"{held}/publicIPAddresses/{text(public.get('name'))}"}
        configurations.append({"name": configuration.get("name"), "id": held, "properties": properties})
    kept = ("networkSecurityGroup", "enableIPForwarding", "enableAcceleratedNetworking", "dnsSettings")
    shown: Body = {"name": interface.get("name"), "id": interface_id}
    return shown | {
        "properties": {
            "provisioningState": "Succeeded",
            "ipConfigurations": configurations,
            **{name: template[name] for name in kept if name in template},
            "primary": template.get("primary", True),
            "virtualMachine": {"id": machine},
        }
    }


def _addresses(interface_id: str, interface: Body) -> Iterator[Body]:
    for configuration in configurations_of(interface):
        public = members(members(configuration.get("properties")).get("publicIPAddressConfiguration"))
        if not public:
            continue
        held = f"{interface_id}/ipConfigurations/{text(configuration.get('name'))}"
        address_id, inner = f"{held}/publicIPAddresses/{text(public.get('name'))}", members(public.get("properties"))
        properties: Body = {
            "provisioningState": "Succeeded",
            "ipAddress": _number(address_id),
            "publicIPAddressVersion": inner.get("publicIPAddressVersion", "IPv4"),
            "publicIPAllocationMethod": "Static",
            "idleTimeoutInMinutes": inner.get("idleTimeoutInMinutes", 4),
            "ipTags": inner.get("ipTags", []),
            "ipConfiguration": {"id": held},
        }
        if "publicIPPrefix" in inner:
            properties["publicIPPrefix"] = inner["publicIPPrefix"]
        shown: Body = {"name": public.get("name"), "id": address_id, "properties": properties}
        yield shown | {"sku": {"name": "Standard", "tier": "Regional"} | members(public.get("sku"))}


def _number(address_id: str) -> str:
    """The id of an address in, its number out: the same whenever somebody looks."""
    first, second = hashlib.sha256(address_id.casefold().encode()).digest()[:2]
    return f"198.19.{first}.{second}"
