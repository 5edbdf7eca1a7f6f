"""A Proposal while it is written: repairs and what they need, one by one, in; what was proposed so far, out."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from governor.core import ids
from governor.core.judged import Judged
from governor.core.means import Means
from governor.core.plan import Reason, Remediation, Withheld


class Draft(Struct):
    """A Proposal while it is written."""

    shared: dict[str, Remediation] = {}
    repairs: dict[str, Remediation] = {}
    withheld: list[Withheld] = []
    subjects: dict[str, tuple[Judged, ...]] = {}
    missing: dict[str, None] = {}

    def add(self, remediation: Remediation, found: Means, subjects: tuple[Judged, ...]) -> None:
        """Takes a repair up: as it is, or withheld when its Means are missing or known not to be there."""
        self.missing.update(dict.fromkeys(found.missing))
        if found.reason is not None and not found.missing:
            self.withhold(remediation, found.reason, subjects)
            return
        self.subjects[remediation.digest] = subjects
        if not found.missing:
            self.shared.update({one.digest: one for one in found.shared if not one.requirements})
            self.repairs[remediation.digest] = remediation

    def needed_by(self, remediations: Iterable[Remediation]) -> set[str]:
        """The digests of what these need, and what that needs."""
        found: set[str] = set()
        edge = {digest for one in remediations for digest in one.needs}
        while edge:
            found |= edge
            edge = {n for digest in edge if digest in self.shared for n in self.shared[digest].needs} - found
        return found

    def tell(self, resource: str, text: str) -> bool:
        """Something that goes with a resource's repair in, which says so from now on; False where none is drafted."""

        def told(one: Remediation) -> Remediation:
            return replace(one, reason=f"{one.reason}; {text}") if ids.same(one.resource, resource) else one

        repairs = {digest: told(one) for digest, one in self.repairs.items()}
        withheld = [replace(one, remediation=told(one.remediation)) for one in self.withheld]
        changed = (repairs, withheld) != (self.repairs, self.withheld)
        self.repairs, self.withheld = repairs, withheld
        return changed

    def withhold(self, remediation: Remediation, reason: Reason, subjects: tuple[Judged, ...]) -> None:
        self.subjects[remediation.digest] = subjects
        self.withheld.append(Withheld(remediation, (reason,)))
