"""Lists for verdicts on addresses, ways in and apps: what is listed and of what in, bodies of its elements out."""

from typing import Any, Final

import msgspec
from msgspec import Raw

from governor.cloud import versions
from governor.cloud.arm import Arm
from governor.core import ids
from governor.ports import Terminal

_NETWORK: Final = (
    "publicIpAddresses",
    "publicIpPrefixes",
    "loadBalancers",
    "natGateways",
    "applicationGateways",
    "privateLinkServices",
)
_SERVICES: Final = "Microsoft.ApiManagement/service"
_PROFILES: Final = "Microsoft.Cdn/profiles"
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
        case "frontDoors":
            found = await _resources(arm, where, _PROFILES)
            profiles = [profile for one in found if _is_front_door(profile := msgspec.json.decode(one))]
            values = tuple([await _front_door(arm, profile) for profile in profiles])
            return (_together(ids.front_doors(ids.name(where)), values),)
        case "sites":
            return await arm.elements(f"{where}/providers/Microsoft.Web/sites", versions.SITES)
        case _ if what in _NETWORK:
            return await arm.elements(f"{where}/providers/Microsoft.Network/{what}", versions.NETWORK)
        case _:
            raise Terminal(f"there is no list {what}")


def _is_front_door(profile: dict[str, Any]) -> bool:
    """Whether a profile is one of Front Door: the others of Microsoft.Cdn have no private links."""
    return str((profile.get("sku") or {}).get("name") or "").casefold().endswith("_azurefrontdoor")


async def _front_door(arm: Arm, profile: dict[str, Any]) -> Raw:
    """A profile in, the same with its origins and security policies out."""
    where = profile["id"]
    groups = await arm.elements(f"{where}/originGroups", versions.FRONT_DOORS)
    named = [msgspec.json.decode(one)["id"] for one in groups]
    origins = [one for group in named for one in await arm.elements(f"{group}/origins", versions.FRONT_DOORS)]
    policies = await arm.elements(f"{where}/securityPolicies", versions.FRONT_DOORS)
    return Raw(msgspec.json.encode({**profile, "origins": origins, "securityPolicies": policies}))


async def _resources(arm: Arm, where: str, kind: str, **more: str) -> tuple[Raw, ...]:
    return await arm.elements(f"{where}/resources", versions.RESOURCES, filter=f"resourceType eq '{kind}'", **more)


def _together(resource_id: str, values: tuple[Raw, ...]) -> Raw:
    return Raw(msgspec.json.encode({"id": resource_id, "value": values}))
