"""Where Azure is: the regions with a Network provider, and the refusals of what lies in none of them."""

from simulator import errors
from simulator.known_types import ELSEWHERE_VERSIONED
from simulator.store import Stored

_NAMES = """
    westus eastus northeurope westeurope eastasia southeastasia northcentralus southcentralus centralus eastus2
    japaneast japanwest brazilsouth australiaeast australiasoutheast centralindia southindia westindia canadacentral
    canadaeast westcentralus westus2 ukwest uksouth koreacentral koreasouth francecentral francesouth
    australiacentral australiacentral2 southafricanorth southafricawest uaenorth uaecentral switzerlandnorth
    switzerlandwest germanywestcentral germanynorth norwayeast norwaywest brazilsoutheast westus3 jioindiawest
    jioindiacentral swedencentral swedensouth qatarcentral polandcentral italynorth israelcentral israelnorthwest
    mexicocentral spaincentral newzealandnorth malaysiawest indonesiacentral austriaeast chilecentral belgiumcentral
    taiwannorth denmarkeast eastus2euap centraluseuap
"""
REGIONS = tuple(_NAMES.split())


def is_region(location: str, kind: str, group: Stored) -> bool:
    """Whether there is a region of that name; where an estate says that a group lies, there is one."""
    return location in (*REGIONS, group.content.get("location")) or kind.lower() in ELSEWHERE_VERSIONED


def location_not_available(location: str, type_name: str) -> errors.ArmError:
    return errors.gateway(
        400,
        "LocationNotAvailableForResourceType",
        f"The provided location '{location}' is not available for resource type '{type_name}'. List of available "
        f"regions for the resource type is '{','.join(REGIONS)}'.",
    )


def group_location_not_available(location: str) -> errors.ArmError:
    return errors.gateway(
        400,
        "LocationNotAvailableForResourceGroup",
        f"The provided location '{location}' is not available for resource group. List of available regions is "
        f"'{','.join(REGIONS)}'.",
    )
