"""How the governor is woken: one module per way, payload -> Cause, or ledger -> answer."""

from typing import Final

# The app setting that names the store: its queues carry the Causes.
STORE: Final = "EGRESS_GOVERNOR_STORE"
