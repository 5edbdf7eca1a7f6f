"""Routes to endpoints: private ones of some networks and the service endpoints of a subnet in, their routes out."""

from collections.abc import Iterable, Iterator

from simulator.ids import NIC
from simulator.peerings import space_of
from simulator.ranges import parsed
from simulator.references import configurations
from simulator.route_choice import PRIVATE_ENDPOINT, SERVICE_ENDPOINT, Route
from simulator.store import Store, Stored
from simulator.wire import elements, members, text

SERVICES = (
    "Microsoft.Storage",
    "Microsoft.Storage.Global",
    "Microsoft.Sql",
    "Microsoft.AzureCosmosDB",
    "Microsoft.KeyVault",
    "Microsoft.ServiceBus",
    "Microsoft.EventHub",
    "Microsoft.AzureActiveDirectory",
    "Microsoft.Web",
    "Microsoft.CognitiveServices",
    "Microsoft.ContainerRegistry",
)
STAND_INS = {name.casefold(): f"198.51.100.{8 * number}/29" for number, name in enumerate(SERVICES)}
"""A range of documentation (RFC 5737) in place of the many that each service has in each region."""
HEEDS_ROUTES = ("enabled", "routetableenabled")


def service_endpoints(subnet: Stored) -> Iterator[Route]:
    """A subnet in, one route for each service that it reaches directly out."""
    said = elements(members(subnet.content.get("properties")).get("serviceEndpoints"))
    for service in dict.fromkeys(text(one.get("service")).casefold() for one in said):
        if service in STAND_INS:
            yield Route("Default", STAND_INS[service], SERVICE_ENDPOINT)


def private_endpoints(store: Store, networks: Iterable[str], user: list[Route]) -> Iterator[Route]:
    """The keys of networks and the user's routes in, a route for each address of a private endpoint in them out.

    Where the endpoint's subnet heeds route tables, a user's route no wider than its network takes the endpoint's place.
    """
    theirs = [found for route in user if (found := parsed(route.prefix)) is not None]
    for network_key in networks:
        network = store.get(network_key)
        space = space_of(network.content)["addressPrefixes"] if network is not None else ()
        ranges = [found for prefix in space if (found := parsed(prefix)) is not None]
        narrow = [found for found in theirs if any(found.lies_in(one) for one in ranges)]
        for subnet in store.listed(f"{network_key}/subnets"):
            for prefix in _addresses(store, subnet):
                address = parsed(prefix)
                yields = address is not None and _heeds(subnet) and any(address.lies_in(one) for one in narrow)
                yield Route("Default", prefix, PRIVATE_ENDPOINT, yields=yields)


def _addresses(store: Store, subnet: Stored) -> Iterator[str]:
    """The addresses of private endpoints in a subnet: of interfaces that say whose they are."""
    keys = (store.owner(holder) for holder in store.referrers(subnet.id.casefold(), "subnet"))
    for key in dict.fromkeys(key for key in keys if key is not None):
        interface = store.get(key)
        properties = members(interface.content.get("properties")) if interface is not None else {}
        if interface is None or interface.type.lower() != NIC or "privateEndpoint" not in properties:
            continue
        for _, element in configurations(NIC, properties):
            inner = members(element.get("properties"))
            here = text(members(inner.get("subnet")).get("id")).casefold() == subnet.id.casefold()
            address = text(inner.get("privateIPAddress"))
            if here and address:
                yield f"{address}/{128 if ':' in address else 32}"


def _heeds(subnet: Stored) -> bool:
    policies = members(subnet.content.get("properties")).get("privateEndpointNetworkPolicies")
    return text(policies).casefold() in HEEDS_ROUTES
