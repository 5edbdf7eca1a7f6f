"""Lists for verdicts on addresses, ways in and apps: what is listed and of what in, bodies of its elements out."""

from typing import Final

import msgspec
from msgspec import Raw

from governor.cloud import versions
from governor.cloud.arm import Arm
from governor.core import ids
from governor.ports import Terminal

_NETWORK: Final = ("publicIpAddresses", "publicIpPrefixes", "loadBalancers", "natGateways", "applicationGateways")
_SERVICES: Final = "Microsoft.ApiManagement/service"
_MADE: Final = ("Microsoft.Network/publicIPAddresses", "Microsoft.Network/publicIPPrefixes")


async def read(arm: Arm, what: str, where: str) -> tuple[Raw, ...]:
    """One of BY_NAME and the key of what it is of in, its elements out. Raises the five words."""
    match what:
        case "instanceAddresses":
            values = await arm.values(f"{where}/publicipaddresses", versions.INSTANCE_ADDRESSES)
            return (_together(ids.instance_addresses(where), values),)
        case "apiManagement":
            # Whoever never used the service has not registered its provider, whose own list would be an error.
            found = await _resources(arm, where, _SERVICES)
            return tuple([Raw(await arm.get(msgspec.json.decode(one)["id"])) for one in found])
        case "creationTimes":
            values = tuple([one for kind in _MADE for one in await _resources(arm, where, kind, expand="createdTime")])
            return (_together(ids.creation_times(ids.name(where)), values),)
        case "sites":
            return await arm.elements(f"{where}/providers/Microsoft.Web/sites", versions.SITES)
        case _ if what in _NETWORK:
            return await arm.elements(f"{where}/providers/Microsoft.Network/{what}", versions.NETWORK)
        case _:
            raise Terminal(f"there is no list {what}")


async def _resources(arm: Arm, where: str, kind: str, **more: str) -> tuple[Raw, ...]:
    return await arm.elements(f"{where}/resources", versions.RESOURCES, filter=f"resourceType eq '{kind}'", **more)


def _together(resource_id: str, values: tuple[Raw, ...]) -> Raw:
    return Raw(msgspec.json.encode({"id": resource_id, "value": values}))
