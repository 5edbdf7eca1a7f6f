"""`addresses`: a file or the ledger in; the register of egress addresses out."""

import csv
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from msgspec import Struct
from rich.markup import escape

from governor.commands import estate_file, file_cloud, screen, words
from governor.commands.behind_hub import with_addresses
from governor.commands.deployment import DataFolder, with_ports
from governor.commands.errors import CommandError
from governor.commands.screen import track
from governor.core import facts, ids
from governor.core.egress import trace
from governor.core.estate import Estate, is_list
from governor.core.needs import Needs
from governor.core.occupancy import SPECIAL
from governor.core.path import EgressPath, Method, Way, describe
from governor.core.path import addresses as addresses_of
from governor.core.policy import Requirement
from governor.core.verdict import Result
from governor.ports import Ports

_NO_WAY: Final = describe(EgressPath((Way(Method.NONE),)))


class Entry(Struct):
    """One subnet: how it leaves, and the public addresses it leaves from.

    whole: these are all addresses it can leave from; else there are more that are not known, or that change.
    """

    subnet: str
    method: str
    addresses: tuple[str, ...] = ()
    whole: bool = True


def addresses(
    *,
    estate: Path | None = None,
    format: Literal["table", "txt", "csv", "json"] = "table",  # noqa: A002 - the name of the option
    data: Annotated[Path | None, DataFolder] = None,
) -> int:
    """Show which subnets leave from which public addresses.

    Parameters
    ----------
    estate: Path
        A file that Azure exported; without it, what the ledger knows from the last runs.
    format: str
        txt is an allow-list: every address once, nothing else.
    """
    entries = with_ports(_from_ledger, data) if estate is None else _from_file(estate_file.read(estate))
    match format:
        case "json":
            screen.write_json(entries)
        case "csv":
            rows = csv.writer(sys.stdout, lineterminator="\n")
            rows.writerow(("subnet", "method", "addresses", "whole"))
            rows.writerows((e.subnet, e.method, " ".join(e.addresses), str(e.whole).lower()) for e in entries)
        case "txt":
            for address in sorted({address for entry in entries for address in entry.addresses}):
                print(address)
            _warn(entries)
        case "table":
            _show(entries)
    return 0


def _show(entries: list[Entry]) -> None:
    console, made = screen.out(), screen.table("subnet", "leaves by", "from")
    for entry in entries:
        known = "\n".join(entry.addresses) or ("-" if entry.whole else "not known, or changing")
        made.add_row(escape(words.short(entry.subnet)), escape(entry.method), escape(known))
    console.print(made if entries else "No subnet is known yet.")


def _warn(entries: list[Entry]) -> None:
    """An allow-list that lacks an address breaks somebody: said where it is not piped away."""
    if lost := [entry for entry in entries if not entry.whole]:
        text = f"note: {words.count(len(lost), 'subnet')} may leave from addresses that are not in this list"
        screen.err().print(text, style="yellow", soft_wrap=True)


def _from_file(file: estate_file.EstateFile) -> list[Entry]:
    if not file.networks:
        raise CommandError(f"{file.path}: {'; '.join(file.notes) or 'it holds no virtual network'}")
    at = datetime.now(UTC)
    entries: list[Entry] = []
    for key in track(file.networks, "tracing virtual networks", len(file.networks)):
        estate = file_cloud.observe(file, key, at, _paths_need)
        entries += _entries(estate)
    for note in file.notes:
        screen.err().print(f"note: {escape(note)}", style="yellow", soft_wrap=True)
    return entries


def _entries(estate: Estate) -> Iterable[Entry]:
    for network in estate.networks:
        for subnet in _traced(network):
            path, _ = with_addresses(trace(subnet, network, estate), network, estate)
            if path.missing:
                yield Entry(subnet.id, f"unknown: {ids.name(path.missing[0])} is not in the file", whole=False)
            elif path.unsettled:
                yield Entry(subnet.id, f"unknown while {path.unsettled[0]}", whole=False)
            else:
                shown, unread = addresses_of(path, estate)
                yield Entry(subnet.id, describe(path), shown, not unread and _all_known(path))


def _all_known(path: EgressPath) -> bool:
    """Whether every way out names its public addresses: of an appliance nobody knows them, of a firewall Azure does.

    Those of default outbound access, gateways and nodes of clusters stand in no ARM body, or Azure changes them.
    """
    return all(way.method is Method.NONE or bool(way.holders) for way in path.ways)


def _traced(network: facts.VirtualNetwork) -> Iterable[facts.Subnet]:
    """Azure's own subnets leave by what stands in them, which this version does not trace."""
    return [one for one in network.properties.subnets or () if one.name.casefold() not in SPECIAL]


def _paths_need(estate: Estate) -> Needs:
    """What must be read so that every path is known, whatever policies say."""
    wanted: list[str] = []
    for network in estate.networks:
        for subnet in _traced(network):
            path, hub = with_addresses(trace(subnet, network, estate), network, estate)
            wanted += [*path.missing, *hub.missing, *addresses_of(path, estate)[1]]
    tried = estate.absent | {gap.about for gap in estate.gaps} | set(estate.known)
    new = dict.fromkeys(one for one in wanted if ids.key(one) not in tried)
    lists = tuple(one for one in new if is_list(one) and not estate.has_listed(one))
    return Needs(tuple(one for one in new if ids.kind(one)), lists)


async def _from_ledger(ports: Ports) -> list[Entry]:
    verdicts = await ports.ledger.verdicts()
    found = [
        v for v in verdicts if v.requirement == Requirement.SUBNET_EGRESS and v.result is not Result.NOT_APPLICABLE
    ]
    return [
        Entry(v.resource, v.seen, v.addresses, whole=bool(v.addresses) or v.seen.startswith(_NO_WAY)) for v in found
    ]
