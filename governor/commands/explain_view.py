"""What was found out about a resource in, text for people out."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.markup import escape

from governor.commands import screen, words
from governor.commands.explain_address import HOLDERS
from governor.commands.explain_hub import hops
from governor.commands.explaining import Considered, Explained, Found
from governor.commands.for_aks import command
from governor.commands.for_aks import lines as for_aks_lines
from governor.core import ids
from governor.core.cluster import Cluster
from governor.core.estate import Estate
from governor.core.occupancy import SPECIAL
from governor.core.path import EgressPath, Method, describe
from governor.core.plan import Gate, Remediation, Withheld
from governor.core.verdict import Verdict

_INDENT = 11


def show(found: Found, console: Console, *, for_aks: bool = False) -> None:
    """What was found in, written on a console; for_aks: how to make a cluster in each subnet instead."""
    kind = ids.kind(found.resource)
    console.print(f"[bold]{words.type_of(found.resource)} {escape(words.short(found.resource))}[/]")
    console.print(f"[dim]{escape(found.resource)}[/]", soft_wrap=True)
    for verdict in found.own.verdicts:
        _verdict(verdict, console)
    _told(found.own.repairs, found.own.withheld, console)
    for number, (category, hosts) in enumerate(found.own.needed):
        _line(console, "" if number else "must reach", escape(f"{category}: {hosts}"))
    if kind in (ids.PUBLIC_IP, ids.PUBLIC_IP_PREFIX) and not found.own.verdicts:
        console.print("Nothing is judged of it itself: no policy asks about addresses that are used as it is.")
    elif kind in HOLDERS and not found.own.verdicts:
        console.print("Nothing is judged of it itself: it has no public address that a policy asks about.")
    elif kind not in (ids.SUBNET, ids.VIRTUAL_NETWORK) and not found.own.verdicts:
        console.print("It is not judged itself; this is what it has to do with what is.")
    if not found.subnets:
        console.print(f"No subnet in {escape(found.source)} has to do with it.")
    for one in found.subnets:
        if for_aks:
            for text in command(one):
                console.print(text, soft_wrap=True, markup=False, highlight=False)
            for what, text in for_aks_lines(one):
                _line(console, what, escape(text))
            continue
        _subnet(one, console, titled=kind != ids.SUBNET)


def _subnet(one: Explained, console: Console, titled: bool) -> None:
    subnet = one.judged.subnet
    prefixes = ", ".join(subnet.prefixes) or "no prefix"
    console.print()
    if titled:
        console.print(f"[bold]subnet {escape(words.short(subnet.id))}[/]  {prefixes}")
    else:
        _line(console, "prefix", prefixes)
    if why := _nobodys(one):
        _line(console, "leaves by", f"not looked at: {escape(why)}, which is never written")
        return
    for number, path in enumerate(one.paths):
        _line(console, "leaves by" if number == 0 else "behind it", escape(_path(path, one.estate)))
    for what, text in hops(one.judged, one.hub, one.estate):
        _line(console, what, escape(text))
    _line(console, "from", escape(_from(one)))
    for hazard in one.paths[0].hazards:
        _line(console, "hazard", f"[yellow]{escape(hazard)}[/]")
    _line(console, "lives there", escape(", ".join(one.judged.occupants.names) or "nobody"))
    for text in _governed(one):
        _line(console, "policy", text)
    for verdict in (*one.judged.verdicts, *one.around):
        _verdict(verdict, console)
    _told(one.repairs, one.withheld, console)


def _told(repairs: Iterable[Remediation], withheld: Iterable[Withheld], console: Console) -> None:
    for repair in repairs:
        _line(console, "repair", "[green]would be done[/]: " + escape(_repair(repair)))
    for held in withheld:
        _line(console, "repair", f"[yellow]withheld[/]: {escape(_repair(held.remediation))}")
        for reason in held.reasons:
            _line(console, "because", escape(reason.text))
        if held.remediation.steps and all(reason.gate is Gate.APPROVAL for reason in held.reasons):
            _line(console, "to do", f'egress-governor approve {held.remediation.digest} --reason "WHY"')


def _verdict(verdict: Verdict, console: Console) -> None:
    expected = f", expected {verdict.expected}" if verdict.expected and verdict.expected != verdict.seen else ""
    style = words.STYLES[verdict.result]
    text = f"[{style}]{verdict.result.value}[/] {verdict.requirement}: {escape(verdict.seen + expected)}"
    _line(console, "verdict", text)


def _line(console: Console, what: str, text: str) -> None:
    row = screen.grid(_INDENT)
    row.add_row(what, text)
    console.print(row)


def _path(path: EgressPath, estate: Estate) -> str:
    if path.missing:
        lost = "; ".join(f"{words.type_of(m)} {ids.name(m)}: {_why(m, estate)}" for m in path.missing)
        return f"unknown, a fact is missing: {lost}"
    if path.unsettled:
        return f"unknown while {path.unsettled[0]}"
    return describe(path)


def _why(missing: str, estate: Estate) -> str:
    return "named, but it does not exist" if ids.key(missing) in estate.absent else estate.why(ids.key(missing))


def _from(one: Explained) -> str:
    path = one.paths[0]
    if path.missing or path.unsettled:
        return "unknown"
    parts = list(one.addresses)
    parts += [f"the address of {ids.name(holder)} ({_why(holder, one.estate)})" for holder in one.unread]
    if Method.DEFAULT_OUTBOUND in path.methods:
        parts.append("an address of Azure's own, which may change at any time")
    if any(way.method is Method.APPLIANCE and not way.holders for way in path.ways):
        parts.append("the addresses of the appliance, which the route does not tell")
    if any(way.method is Method.INSTANCE_PUBLIC_IP and not way.holders for way in path.ways):
        parts.append("an address of each node, which comes and goes with it")
    if Method.GATEWAY in path.methods:
        parts.append("whatever is behind the virtual network gateway")
    return ", ".join(parts) or "nowhere"


def _governed(one: Explained) -> Iterator[str]:
    for considered in one.considered:
        yield escape(_considered(considered, one))
    if one.judged.policy is None and not any(v.result == "Unknown" for v in one.judged.verdicts):
        yield "none of them selects it"


def _nobodys(one: Explained) -> str:
    """What a subnet is that is nobody's way out; "" for any other."""
    subnet = one.judged.subnet
    if subnet.name.casefold() in SPECIAL:
        return "it is a subnet of Azure's own"
    servers = [c for c in one.estate.all(Cluster) if ids.same(c.api_server.subnet_id or "", subnet.id)]
    return f"it is the subnet of the API server of cluster {ids.name(servers[0].id)}" if servers else ""


def _considered(considered: Considered, one: Explained) -> str:
    policy, governing = considered.policy, one.judged.policy
    said = [_finding(f.condition, f.holds, f.excludes) for f in considered.findings]
    answers = "; ".join(said) or "it has no conditions"
    if governing is not None and governing.name == policy.name:
        modes = f"mode {policy.mode.value}, occupied {policy.occupied.value}"
        return f"{policy.name} governs it ({answers}; priority {policy.priority}, {modes})"
    return f"{policy.name} was asked before ({answers}; priority {policy.priority})"


def _finding(condition: str, holds: bool | None, excludes: bool) -> str:
    if excludes:
        answer = {True: "excludes it", False: "does not exclude it", None: "may exclude it: not read"}[holds]
        return f"except {condition} {answer}"
    return f"{condition} {({True: 'holds', False: 'does not hold', None: 'is not known: not read'})[holds]}"


def _repair(remediation: Remediation) -> str:
    steps = "; ".join(words.does(step) for step in remediation.steps) or "nothing by itself"
    disturbs = words.disturbs(remediation)
    back = words.taken_back(remediation)
    return f"{steps} (disturbs: {disturbs}; {back}; {words.addresses(remediation)}; digest {remediation.digest})"
