"""What public addresses cost: addresses in, about how much a month out.

The list price of a static Standard IPv4 address in US regions, pay as you go, in US dollars without tax, read in
November 2026 from the price lists that infracost records; other regions, currencies and contracts differ. Today's
price stands at azure.microsoft.com/pricing/details/ip-addresses.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final

IPV4_AN_HOUR: Final = 0.005
HOURS_A_MONTH: Final = 730
_IPV4: Final = 4


def about_a_month(addresses: Iterable[str]) -> float | None:
    """Addresses and prefixes in, about how many dollars a month they cost out; None where one has no price here."""
    count = 0
    for one in set(addresses):
        block = ipaddress.ip_network(one, strict=False)
        if block.version != _IPV4:
            return None
        count += block.num_addresses
    return round(count * IPV4_AN_HOUR * HOURS_A_MONTH, 2)
