"""Settings and a caller's key in, whether the call is allowed out; without keys in the settings every call is."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

FUNCTION, SYSTEM, MASTER = "DEVHOST_FUNCTION_KEY", "DEVHOST_SYSTEM_KEY", "DEVHOST_MASTER_KEY"


@dataclass(frozen=True)
class Keys:
    """The keys demanded: for functions, for webhooks, and the one that opens everything."""

    function: str
    system: str
    master: str

    def opens(self, level: str, given: str) -> bool:
        """Whether a key opens `anonymous`, `function`, `system` or `admin`."""
        if level == "anonymous":
            return True
        fitting = {"function": self.function, "system": self.system}.get(level, "")
        return any(each and hmac.compare_digest(each.encode(), given.encode()) for each in (fitting, self.master))


def read(settings: Mapping[str, str]) -> Keys | None:
    """The keys of the settings, or None when no key is set."""
    function, system, master = (settings.get(name, "") for name in (FUNCTION, SYSTEM, MASTER))
    return Keys(function, system, master) if function or system or master else None
