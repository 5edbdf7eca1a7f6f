"""What a role lets people do: patterns of actions in, whether they cover an action out."""

import re
from functools import lru_cache

import msgspec

from simulator.wire import Body, elements


class Permission(msgspec.Struct, frozen=True):
    """What is allowed (or, in a deny assignment, denied): the actions, less those that are excepted."""

    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def covers(self, action: str) -> bool:
        """Whether an action, in whatever case, is among them."""
        return _matches(self.actions, action) and not _matches(self.not_actions, action)

    def covers_data(self, action: str) -> bool:
        """The same of an action on what a resource holds."""
        return _matches(self.data_actions, action) and not _matches(self.not_data_actions, action)

    @property
    def is_everything(self) -> bool:
        return "*" in self.actions and not self.not_actions

    @property
    def body(self) -> Body:
        """As Azure shows it."""
        return {
            "actions": list(self.actions),
            "notActions": list(self.not_actions),
            "dataActions": list(self.data_actions),
            "notDataActions": list(self.not_data_actions),
        }


def permissions_of(properties: Body) -> tuple[Permission, ...]:
    """The properties of a role definition or a deny assignment in, its permissions out."""
    return tuple(
        Permission(*(_texts(one.get(name)) for name in ("actions", "notActions", "dataActions", "notDataActions")))
        for one in elements(properties.get("permissions"))
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _matches(patterns: tuple[str, ...], action: str) -> bool:
    return bool(patterns) and _compiled(patterns).fullmatch(action) is not None


@lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Patterns in one expression."""
    return re.compile("|".join(map(_expression, patterns)), re.IGNORECASE)


def _expression(pattern: str) -> str:
    """A pattern in, where `*` stands for anything, its expression out; it never goes back over what it has found."""
    first, *others = map(re.escape, re.split(r"\*+", pattern))
    if not others:
        return first
    return first + "".join(f"(?>.*?{part})" for part in others[:-1]) + f".*{others[-1]}"
