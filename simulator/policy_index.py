"""Where Azure Policy's resources are: a scope in, the definitions, assignments and exemptions that reach it out."""

from collections.abc import Iterator

from simulator.built_in_policies import BUILT_IN
from simulator.store import Store, Stored

PROVIDER = "/providers/microsoft.authorization/"
DEFINITIONS = "policydefinitions"
SETS = "policysetdefinitions"
ASSIGNMENTS = "policyassignments"
EXEMPTIONS = "policyexemptions"


class PolicyIndex:
    """Remembers their keys as they come: at a write nobody has to look through all that exists."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: dict[str, dict[str, None]] = {kind: {} for kind in (DEFINITIONS, SETS, ASSIGNMENTS, EXEMPTIONS)}
        store.watchers.append(self._watch)

    def all(self, kind: str) -> Iterator[Stored]:
        """A kind in, all there are of it out, without those that are built in."""
        for key in self._keys[kind]:
            stored = self._store.get(key)
            if stored is not None:
                yield stored

    def definition(self, definition_id: str) -> Stored | None:
        """The id of a definition or of a set in, in any case; the definition out."""
        key = definition_id.casefold()
        return self._store.get(key) or BUILT_IN.get(key)

    def _watch(self, key: str, _: Stored | None) -> None:
        if PROVIDER in key:
            kind = key.rpartition(PROVIDER)[2].partition("/")[0]
            if kind in self._keys:
                self._keys[kind][key] = None


def scope_of(stored: Stored) -> str:
    """A definition, assignment or exemption in, the key of its scope out: empty for the tenant."""
    return stored.id.casefold().rpartition(PROVIDER)[0]
