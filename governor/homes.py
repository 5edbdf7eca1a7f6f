"""Where a run is to look: a Cause in, its Scope out."""

import logging
from functools import partial
from typing import Final

from msgspec.structs import replace

from governor.core import cause as causes
from governor.core import ids, needs, nodes
from governor.core.cause import Cause, Remainder, Scope
from governor.core.estate import Estate
from governor.core.whereabouts import KINDS, SETTLED, whereabouts
from governor.ports import Ports

LOG: Final = logging.getLogger("governor")


async def scope_of(cause: Cause, ports: Ports) -> Scope | None:
    """The one Scope of a Cause; a Cause with several is put back once for each."""
    if cause.scope is not None:
        found: tuple[Scope, ...] = (cause.scope,)
    elif cause.subject is None:
        found = ()
    else:
        named = await ports.ledger.named_by(causes.named_as(cause.subject))
        found = causes.scopes(cause.subject, (*named, *await homes_of(cause.subject, ports, named)))
    if len(found) > 1:
        for one in found:
            await ports.inbox.put(replace(cause, scope=one))
        return None
    if not found:
        LOG.debug("nothing to govern for %s", cause.subject)
        return None
    return found[0]


async def homes_of(subject: str, ports: Ports, named: tuple[Scope, ...] = ()) -> tuple[Scope, ...]:
    """The subject of an event and whose last run named it in; where it lives: a new one is named by nobody."""
    whole = ids.top_level(subject)
    kind, above = ids.kind(whole), Remainder(ids.parse(whole).subscription)
    if kind == ids.CLUSTER:
        return nodes.homes(whole, await ports.cloud.observe(above, partial(needs.for_cluster, whole)))
    if kind not in KINDS or (named and kind in SETTLED):
        return ()
    seen = await ports.cloud.observe(above, partial(needs.for_holder, whole), Estate(ports.clock.now()))
    return whereabouts(whole, seen).scopes
