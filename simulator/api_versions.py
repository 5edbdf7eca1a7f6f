"""Which types and api-versions there are: a call in, nothing or the refusal of what Azure has never heard of out."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Literal

from simulator import errors
from simulator.calls import Call
from simulator.ids import NETWORK, location_key
from simulator.known_types import (
    CHILDREN,
    ELSEWHERE_VERSIONED,
    NETWORK_VERSIONS,
    OTHERS,
    PROVIDERS,
    RESOURCE_MANAGER,
    Known,
)
from simulator.regions import REGIONS
from simulator.wire import text
from simulator.world import World

FORM = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?", re.ASCII)
NAMESPACE = re.compile(r"\w+(\.\w+)+", re.ASCII)
_OWN_VERSIONS = (
    "2026-06-01,2025-04-01,2024-11-01,2024-07-01,2024-03-01,2023-07-01,2022-12-01,2022-09-01,2022-06-01,2021-04-01,"
    "2021-01-01,2020-10-01,2020-06-01,2019-10-01,2018-05-01,2017-05-10,2016-09-01,2016-06-01,2015-11-01,2015-01-01,"
    "2014-04-01"
)
_VERSIONS = frozenset(NETWORK_VERSIONS)
_MODELLED = frozenset(f"{NETWORK}/{kind}" for kind in CHILDREN)
Flaw = Literal["namespace", "type", "version"]


def check(world: World, call: Call) -> None:
    """A call in; refused when its type, or the version of it that is asked for, does not exist."""
    address = call.address
    if address.type_key in _MODELLED and call.api_version in _VERSIONS:
        return  # as nearly every call is
    types = address.types
    if call.request.method == "POST" and address.is_collection:
        types = types[:-1]  # an action, which whoever answers knows
    flaw = _flaw(address.namespace or "", "/".join(types).lower(), call.api_version)
    if flaw is None:
        return
    match flaw:
        case "namespace":
            raise _invalid_namespace(address.namespace or "")
        case "type":
            raise _type_not_found(address.namespace or "", call.api_version)
        case "version":
            raise _unsupported(world, call, "/".join(address.types[: len(types)]))


def _flaw(namespace: str, kind: str, version: str) -> Flaw | None:
    """A provider, a type (in lower case) and a version in, what there is not out."""
    known = _known(namespace if kind else "")  # a provider itself is Resource Manager's
    if namespace and not NAMESPACE.fullmatch(namespace):
        return "namespace"
    first = kind.partition("/")[0]
    judged = known.types and kind
    if judged and first not in known.types and first not in ELSEWHERE_VERSIONED:
        return "type"
    if namespace.lower() == NETWORK and not _are_children(kind.split("/")):
        return "type"
    if known.versions and first not in ELSEWHERE_VERSIONED:
        return None if version in known.versions else "version"
    in_time = _is_date(version) and known.first[:10] <= version[:10] <= known.last[:10]
    return None if in_time else "version"


def _known(namespace: str) -> Known:
    return PROVIDERS.get(namespace.lower(), OTHERS) if namespace else RESOURCE_MANAGER


def _are_children(kinds: list[str]) -> bool:
    """The segments of a type in, whether each may hang under those before it out."""
    above = ("/".join(kinds[:depth]) for depth in range(1, len(kinds)))
    return all(kind in CHILDREN.get(parent, (kind,)) for parent, kind in zip(above, kinds[1:], strict=True))


def _is_date(version: str) -> bool:
    try:
        date.fromisoformat(version[:10])
    except ValueError:
        return False
    return True


def _unsupported(world: World, call: Call, kind: str) -> errors.ArmError:
    """A version that is none: Resource Manager speaks for itself, for what lies in a region, and for what does not."""
    address, version = call.address, call.api_version
    known = _known(address.namespace or "")
    if not address.namespace or not _is_date(version):
        return invalid_api_version(version)
    versions = known.versions or (known.first, known.last)
    if address.group is None:
        return _type_not_found(address.namespace, version, kind, versions)
    return _no_registered_provider(_location(world, call), version, kind, versions)


def _location(world: World, call: Call) -> str:
    """Where a resource is, or is to be, or its group is."""
    address = call.address
    group = f"/subscriptions/{address.subscription}/resourcegroups/{address.group}".casefold()
    for key in (address.top.key, group):
        stored = world.store.get(key)
        if stored is not None and text(stored.content.get("location")):
            return text(stored.content.get("location"))
        if key == address.top.key and call.request.method == "PUT" and len(address.types) == 1:
            return location_key(text(call.content().get("location")))
    return ""


def invalid_api_version(given: str) -> errors.ArmError:
    return errors.gateway(
        400,
        "InvalidApiVersionParameter",
        f"The api-version '{given}' is invalid. The supported versions are '{_OWN_VERSIONS}'.",
    )


def _invalid_namespace(namespace: str) -> errors.ArmError:
    return errors.gateway(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")


def _type_not_found(namespace: str, version: str, kind: str = "", versions: Sequence[str] = ()) -> errors.ArmError:
    """A provider has no such type; or it has it (`kind`), in other versions, and in no region."""
    named = f" '{kind}'" if kind else ""
    supported = f" The supported api-versions are '{','.join(versions)}'." if versions else ""
    return errors.gateway(
        404,
        "InvalidResourceType",
        f"The resource type{named} could not be found in the namespace '{namespace}' for api version '{version}'."
        f"{supported}",
    )


def _no_registered_provider(location: str, version: str, kind: str, versions: Sequence[str]) -> errors.ArmError:
    return errors.gateway(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '{location}' and API version '{version}' for type "
        f"'{kind}'. The supported api-versions are '{', '.join(versions)}'. The supported locations are "
        f"'{', '.join(REGIONS)}'.",
    )
