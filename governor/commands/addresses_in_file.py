"""An estate file in, whence each of its subnets and clusters leaves out: by the facts, whatever policies say."""

from collections.abc import Iterable
from datetime import UTC, datetime

from rich.markup import escape

from governor.commands import estate_file, file_cloud, screen
from governor.commands.behind_hub import with_addresses
from governor.commands.errors import CommandError
from governor.commands.screen import track
from governor.core import facts, ids, outbound_type
from governor.core.cluster import Cluster
from governor.core.egress import trace
from governor.core.estate import Estate, is_list
from governor.core.needs import Needs
from governor.core.nodes import clusters_by_network
from governor.core.occupancy import SPECIAL
from governor.core.path import addresses, describe, is_whole
from governor.core.register import Entry


def entries(file: estate_file.EstateFile) -> list[Entry]:
    """A file in, its subnets and clusters network by network out; CommandError when it holds no network."""
    if not file.networks:
        raise CommandError(f"{file.path}: {'; '.join(file.notes) or 'it holds no virtual network'}")
    at = datetime.now(UTC)
    found: list[Entry] = []
    for key in track(file.networks, "tracing virtual networks", len(file.networks)):
        estate = file_cloud.observe(file, key, at, _paths_need)
        for network in estate.networks:
            subnets = list(_subnets(network, estate))
            clusters = clusters_by_network(estate).get(ids.key(network.id), ())
            found += (*subnets, *(_cluster(one, subnets) for one in clusters))
    for note in file.notes:
        screen.err().print(f"note: {escape(note)}", style="yellow", soft_wrap=True)
    return found


def _subnets(network: facts.VirtualNetwork, estate: Estate) -> Iterable[Entry]:
    for subnet in _traced(network):
        path, _ = with_addresses(trace(subnet, network, estate), network, estate)
        if path.missing:
            yield Entry(subnet.id, f"unknown: {ids.name(path.missing[0])} is not in the file", whole=False)
        elif path.unsettled:
            yield Entry(subnet.id, f"unknown while {path.unsettled[0]}", whole=False)
        else:
            yield Entry(subnet.id, describe(path), addresses(path, estate)[0], is_whole(path, estate))


def _cluster(cluster: Cluster, subnets: list[Entry]) -> Entry:
    """A cluster leaves from whatever the subnets of its nodes and pods do; one that names none, as its network does."""
    named = {ids.key(one) for one in (*cluster.node_subnets, *cluster.pod_subnets)}
    its = [one for one in subnets if not named or ids.key(one.resource) in named]
    shown = sorted({address for one in its for address in one.addresses})
    method = f"outboundType {outbound_type.of(cluster)}"
    return Entry(cluster.id, method, tuple(shown), bool(its) and all(one.whole for one in its))


def _traced(network: facts.VirtualNetwork) -> Iterable[facts.Subnet]:
    """Azure's own subnets leave by what stands in them, which this version does not trace."""
    return [one for one in network.properties.subnets or () if one.name.casefold() not in SPECIAL]


def _paths_need(estate: Estate) -> Needs:
    """What must be read so that every path is known, whatever policies say."""
    wanted: list[str] = []
    for network in estate.networks:
        for subnet in _traced(network):
            path, hub = with_addresses(trace(subnet, network, estate), network, estate)
            wanted += [*path.missing, *hub.missing, *addresses(path, estate)[1]]
    tried = estate.absent | {gap.about for gap in estate.gaps} | set(estate.known)
    new = dict.fromkeys(one for one in wanted if ids.key(one) not in tried)
    lists = tuple(one for one in new if is_list(one) and not estate.has_listed(one))
    return Needs(tuple(one for one in new if ids.kind(one)), lists)
