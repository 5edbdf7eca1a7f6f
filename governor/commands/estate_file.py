"""A file that Azure exported in, what it says out: bodies by key, as they stand in the file, decoded when asked for.

Three forms: the answer of `az graph query` (an object with `data`), a bare array (`az graph query --query data`,
`az resource list`), one ARM resource or a list of them in `value`.
"""

from pathlib import Path
from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from governor.commands import estate_tree
from governor.commands.errors import CommandError
from governor.commands.screen import track
from governor.core import ids
from governor.core.estate import list_of

EXPORT: Final = 'az graph query -q "resourcecontainers | union resources" --first 1000'
_WITH_PROPERTIES: Final = ("microsoft.network/", "microsoft.containerservice/", ids.SCALE_SET, ids.API_MANAGEMENT)
_UTF8: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


_LISTS: Final = {
    ids.PUBLIC_IP: "publicIpAddresses",
    ids.PUBLIC_IP_PREFIX: "publicIpPrefixes",
    ids.LOAD_BALANCER: "loadBalancers",
    ids.NAT_GATEWAY: "natGateways",
    ids.API_MANAGEMENT: "apiManagement",
    ids.APPLICATION_GATEWAY: "applicationGateways",
    ids.SITE: "sites",
    ids.PRIVATE_LINK_SERVICE: "privateLinkServices",
}


class EstateFile(Struct):
    """bodies: by key of the resource. groups: keys of the resource groups that something in it lives in.

    complete: nothing was cut off. notes: what people should know. bare: keys of what stands there without properties.
    networks, clusters: keys of those that stand there whole, sorted. listed: keys by the name of the list they are in.
    """

    path: Path
    bodies: dict[str, bytes | Raw]
    groups: frozenset[str]
    complete: bool
    notes: tuple[str, ...]
    bare: frozenset[str]
    networks: list[str] = []
    clusters: list[str] = []
    listed: dict[str, list[str]] = {}

    def __post_init__(self) -> None:
        self.networks = self._whole(ids.VIRTUAL_NETWORK)
        self.clusters = self._whole(ids.CLUSTER)
        for key in sorted(self.bodies.keys() - self.bare):
            if what := _LISTS.get(ids.kind(key)):
                scope = f"/subscriptions/{ids.parse(key).subscription}"
                self.listed.setdefault(list_of(what, scope), []).append(key)

    @property
    def subscriptions(self) -> list[str]:
        """The subscriptions of everything in it, sorted."""
        return sorted({ids.parse(key).subscription for key in self.bodies})

    def _whole(self, kind: str) -> list[str]:
        return sorted(key for key in self.bodies if ids.kind(key) == kind and key not in self.bare)


class _Head(Struct):
    id: str
    properties: Raw = Raw(b"null")


class _Answer(Struct):
    """What may stand around the resources; a Graph answer that was cut says so."""

    data: list[Raw] | UnsetType = UNSET
    value: list[Raw] | UnsetType = UNSET
    id: str | UnsetType = UNSET
    skip_token: str | None = None
    total_records: int | None = None


class _GraphSubscription(Struct):
    """A subscription as Resource Graph writes it; ARM has its name, and the groups above it, elsewhere."""

    class Properties(Struct, frozen=True):
        class Ancestor(Struct, frozen=True):
            name: str

        managementGroupAncestorsChain: tuple[Ancestor, ...] | None = None  # noqa: N815 - as Graph spells it

    id: str
    name: str = ""
    tags: dict[str, str] | None = None
    properties: Properties = Properties()


class _SubscriptionBody(Struct, omit_defaults=True, rename="camel"):
    id: str
    display_name: str
    tags: dict[str, str] | None = None


_HEAD: Final = msgspec.json.Decoder(_Head)


def read(path: Path) -> EstateFile:
    """A file in, the resources in it out; CommandError says what and where when it is none of the three forms."""
    data = _bytes(path)
    rows, answer = _rows(path, data)
    bodies: dict[str, bytes | Raw] = {}
    groups: set[str] = set()
    bare: set[str] = set()
    subnets: dict[str, list[Raw]] = {}
    tree: list[Raw] = []
    for number, row in enumerate(track(rows, f"reading {path.name}", len(rows))):
        try:
            head = _HEAD.decode(row)
        except msgspec.MsgspecError as error:
            raise CommandError(f"{_at(path, data, data.find(bytes(row)))}: entry {number}: {_plain(error)}") from error
        if estate_tree.is_of_groups(head.id):
            tree.append(row)
            continue
        kind, key = ids.kind(head.id), ids.key(head.id)
        if not kind:
            where = _at(path, data, data.find(bytes(row)))
            raise CommandError(f"{where}: entry {number}: {head.id!r} is not a resource id (/subscriptions/...)")
        parts = ids.parse(head.id)
        if parts.resource_group:
            groups.add(ids.key(ids.group(parts.subscription, parts.resource_group)))
        if kind == ids.SUBNET:
            subnets.setdefault(ids.key(ids.parent(head.id)), []).append(row)
            continue
        if bytes(head.properties) == b"null":
            bare.add(key)
        bodies[key] = row
        if kind == ids.SUBSCRIPTION:
            bodies.update(_subscription(row))
    bodies.update(estate_tree.entities(tree))
    lost = _adopt(bodies, subnets)
    complete = answer is None or (answer.skip_token is None and (answer.total_records or 0) <= len(rows))
    hollow = frozenset(key for key in bare if ids.kind(key).startswith(_WITH_PROPERTIES))
    return EstateFile(path, bodies, frozenset(groups), complete, _notes(rows, answer, complete, hollow, lost), hollow)


def with_bodies(file: EstateFile, bodies: list[bytes]) -> EstateFile:
    """A file and more bodies in, the file as if it held them too out; a subnet goes into its network."""
    merged, groups = dict(file.bodies), set(file.groups)
    subnets: dict[str, list[Raw]] = {}
    for body in bodies:
        head = _HEAD.decode(body)
        parts = ids.parse(head.id)
        if parts.resource_group:
            groups.add(ids.key(ids.group(parts.subscription, parts.resource_group)))
        if parts.type == ids.SUBNET:
            subnets.setdefault(ids.key(ids.parent(head.id)), []).append(Raw(body))
        else:
            merged[ids.key(head.id)] = body
    if lost := _adopt(merged, subnets):
        raise CommandError(f"{file.path}: the virtual network of subnet {lost[0]} is not there")
    return msgspec.structs.replace(file, bodies=merged, groups=frozenset(groups))


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: cannot be read: {error.strerror or error}") from error
    if data.startswith(_UTF16):
        # What `>` writes in Windows PowerShell.
        data = data.decode("utf-16", "replace").encode()
    return data.removeprefix(_UTF8)


def _rows(path: Path, data: bytes) -> tuple[list[Raw], _Answer | None]:
    try:
        if data.lstrip().startswith(b"["):
            return msgspec.json.decode(data, type=list[Raw]), None
        answer = msgspec.json.decode(data, type=_Answer)
    except msgspec.ValidationError as error:
        raise CommandError(
            f"{path}: not an export of Azure: {_plain(error)}; expected what `{EXPORT}` writes"
        ) from error
    except RecursionError as error:
        raise CommandError(f"{path}: not an export of Azure: it is nested too deeply") from error
    except msgspec.DecodeError as error:
        at = str(error).rpartition("(byte ")[2].rstrip(")")
        offset = int(at) if at.isdigit() else len(data)
        raise CommandError(f"{_at(path, data, offset)}: not JSON: {str(error).partition(' (byte')[0]}") from error
    for rows in (answer.data, answer.value):
        if rows is not UNSET:
            return rows, answer
    if answer.id is not UNSET:
        return [Raw(data)], None
    raise CommandError(f"{path}: an object without `data`, `value` or `id`: expected what `{EXPORT}` writes")


def _adopt(bodies: dict[str, bytes | Raw], subnets: dict[str, list[Raw]]) -> list[str]:
    """Puts subnets that stand beside their networks into them; the ids of those whose network is not there come out."""
    lost: list[str] = []
    for network, rows in subnets.items():
        found = [msgspec.json.decode(row) for row in rows]
        if network not in bodies:
            lost += [subnet["id"] for subnet in found]
            continue
        body = msgspec.json.decode(bodies[network])
        properties = body.get("properties") or {}
        names = {subnet["id"].rpartition("/")[2].casefold() for subnet in found}
        kept = [s for s in properties.get("subnets") or [] if str(s.get("name", "")).casefold() not in names]
        named = [{"name": subnet["id"].rpartition("/")[2], **subnet} for subnet in found]
        body["properties"] = {**properties, "subnets": [*kept, *named]}
        bodies[network] = msgspec.json.encode(body)
    return lost


def _subscription(row: Raw) -> dict[str, bytes | Raw]:
    """The row of a subscription in; by key its body, and the groups above it where the row names them, out."""
    try:
        found = msgspec.json.decode(row, type=_GraphSubscription)
    except msgspec.ValidationError:
        return {}
    if not found.name or found.name == ids.name(found.id):
        return {}
    bodies = {ids.key(found.id): msgspec.json.encode(_SubscriptionBody(found.id, found.name, found.tags))}
    if chain := found.properties.managementGroupAncestorsChain:
        entity = ids.entity(ids.name(found.id))
        above = [ancestor.name for ancestor in reversed(chain)]
        bodies[ids.key(entity)] = msgspec.json.encode({"id": entity, "properties": {"parentNameChain": above}})
    return {**bodies}


def _notes(
    rows: list[Raw], answer: _Answer | None, complete: bool, bare: frozenset[str], lost: list[str]
) -> tuple[str, ...]:
    notes: list[str] = []
    if not complete and answer is not None:
        of = f" of {answer.total_records}" if answer.total_records else ""
        notes.append(f"it was cut off: it holds {len(rows)}{of} resources, so what is not in it may still exist")
    networks = [ids.name(key) for key in sorted(bare) if ids.kind(key) == ids.VIRTUAL_NETWORK]
    if networks:
        these = ", ".join(networks[:3]) + (", ..." if len(networks) > 3 else "")
        notes.append(
            f"it holds no properties of {len(networks)} virtual networks ({these}), so their subnets are not seen: "
            f"`az resource list` leaves them out, `{EXPORT}` writes them"
        )
    if lost:
        notes.append(f"it holds {len(lost)} subnets without their virtual networks, which are not judged")
    return tuple(notes)


def _at(path: Path, data: bytes, offset: int) -> str:
    before = data[: max(offset, 0)]
    return f"{path}:{before.count(10) + 1}:{len(before) - before.rfind(10)}"


def _plain(error: msgspec.MsgspecError) -> str:
    return str(error).replace(" - at `$`", "")
