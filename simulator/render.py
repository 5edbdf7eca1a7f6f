"""Answers: a stored resource in, the body a caller sees out, with its children and back-references."""

from simulator import application_gateways, balancers, cluster_bodies, peerings
from simulator.firewalls import show_policy
from simulator.ids import APPLICATION_GATEWAY, CLUSTERS, FIREWALL_POLICY, LOAD_BALANCER, NSG, PEERING, parent_key
from simulator.references import BACK_REFERENCES
from simulator.security_rules import default_rules
from simulator.shapes import UNSEEN, inner_elements, is_network, kind_of
from simulator.store import Store, Stored
from simulator.wire import Body, members


def render(store: Store, key: str, stored: Stored) -> Body:
    """A resource in, its whole body out, members in the order Azure sends them."""
    type_key = stored.type.lower()
    content = stored.content
    network = is_network(type_key)
    if not network and cluster_bodies.is_cluster(type_key):
        return cluster_bodies.shown(store, key, stored)
    shown: Body = {"name": stored.name, "id": stored.id}
    etag = etag_of(store, key, stored)
    if etag:
        shown["etag"] = etag
    shown["type"] = stored.type
    properties = content.pop("properties", None)
    content.pop(UNSEEN, None)
    shown.update(content)
    if not network and not stored.state:
        if properties is not None:
            shown["properties"] = properties
        return shown
    state = {"provisioningState": stored.state}
    shown["properties"] = state | members(properties) | state
    if network:
        for array in kind_of(type_key).children:
            children = store.keys_in(f"{key}/{array.lower()}")
            shown["properties"][array] = [
                render(store, child, found) for child in children if (found := store.get(child))
            ]
        for _, element in inner_elements(type_key, shown["properties"]):
            element["etag"] = etag
        if type_key == NSG:
            shown["properties"]["defaultSecurityRules"] = default_rules(stored.id, etag, stored.state)
        shown["properties"].update(back_references_of(store, key, type_key))
        if type_key == PEERING:
            peerings.show(store, key, shown["properties"])
        elif type_key == LOAD_BALANCER:
            balancers.show(store, shown["properties"])
        elif type_key == APPLICATION_GATEWAY:
            application_gateways.show(shown["properties"], stored.state)
        elif type_key == FIREWALL_POLICY:
            show_policy(store, key, shown["properties"])
    return shown


def back_references_of(store: Store, key: str, type_key: str) -> Body:
    """A resource in, the members that say who uses it out; none when nobody does."""
    shown: Body = {}
    for back in BACK_REFERENCES.get(type_key, ()):
        holders = store.referrers(key, back.named_in)
        if holders:
            listed = [{"id": holder} for holder in holders.values()]
            shown[back.shown] = listed if back.many else listed[0]
    return shown


def etag_of(store: Store, key: str, stored: Stored) -> str:
    """A resource in, its etag out; children carry their parent's, and many providers have none."""
    if stored.etag or not is_network(stored.type.lower()) or stored.type.count("/") < 2:
        return stored.etag
    parent = store.get(parent_key(key))
    return parent.etag if parent is not None else ""


def summary(stored: Stored) -> Body:
    """A resource in, its line in a list of resources out: no properties."""
    content = stored.content
    shown: Body = {"id": stored.id, "name": stored.name, "type": stored.type}
    return shown | {
        name: content[name] for name in ("location", "tags", "sku", "zones", "kind", "identity") if name in content
    }


def shown_id(group_id: str, type_name: str, name: str) -> str:
    """A new resource's group, type and name in, its id as Azure spells it out: AKS writes `resourcegroups`."""
    scope = group_id
    if type_name.lower() == CLUSTERS:
        scope = scope.replace("/resourceGroups/", "/resourcegroups/")
    return f"{scope}/providers/{type_name}/{name}"
