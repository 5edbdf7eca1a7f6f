"""Bodies of clusters: what a caller sent in, what AKS keeps out, with its defaults; and what a reader sees."""

from collections.abc import Callable

import msgspec

from simulator.agent_pools import latest
from simulator.cluster_proxies import completed as completed_proxy
from simulator.identity import TENANT
from simulator.ids import AGENT_POOL, CLUSTERS, CLUSTERS_SHOWN, Address
from simulator.outbound_types import LOAD_BALANCER, MANAGED_GATEWAYS, outbound_of, spelled
from simulator.shapes import UNSEEN
from simulator.store import Store, Stored
from simulator.wire import Body, members, text

Guid = Callable[[], str]
POOL_TYPE = "Microsoft.ContainerService/managedClusters/agentPools"
VERSION = "1.30"
PROFILES = "agentPoolProfiles"
OUTBOUND_GOALS = ("managedOutboundIPs", "outboundIPs", "outboundIPPrefixes")
"""How a load balancer profile says which addresses it wants; there is one of them."""
EFFECTIVE = "effectiveOutboundIPs"
_GOALS = (*OUTBOUND_GOALS, EFFECTIVE)
_ENVELOPE = ("id", "name", "type", "eTag", "properties", "systemData", UNSEEN)
_READ_ONLY = (
    *("provisioningState", "powerState", "currentKubernetesVersion", "fqdn", "privateFQDN", "azurePortalFQDN"),
    *("maxAgentPools", "identityProfile", "resourceUID", PROFILES),
)
# What an update that does not mention it leaves as it is; all else is as if it were new.
_STAYS = (
    *("kubernetesVersion", "dnsPrefix", "nodeResourceGroup", "enableRBAC", "linuxProfile", "windowsProfile"),
    *("servicePrincipalProfile", "supportPlan"),
)
_RUNNING: Body = {"powerState": {"code": "Running"}, "maxAgentPools": 100}
_SECTIONS: Body = {
    "autoUpgradeProfile": {"nodeOSUpgradeChannel": "NodeImage"},
    "securityProfile": {},
    "storageProfile": {name: {"enabled": True} for name in ("diskCSIDriver", "fileCSIDriver", "snapshotController")},
    "oidcIssuerProfile": {"enabled": False},
    "workloadAutoScalerProfile": {},
    "metricsProfile": {"costAnalysis": {"enabled": False}},
}
_NETWORK: Body = {
    "loadBalancerSku": "standard",
    "serviceCidr": "10.0.0.0/16",
    "dnsServiceIP": "10.0.0.10",
    "ipFamilies": ["IPv4"],
}


def completed(guid: Guid, address: Address, location: str, sent: Body, before: Body | None) -> Body:
    """A cluster as sent and as it is in, the content it would have, but for its pools, out."""
    old = members((before or {}).get("properties"))
    content = {name: value for name, value in sent.items() if name not in _ENVELOPE and value is not None}
    given = _without_nulls(members(sent.get("properties")), _READ_ONLY)
    if given.get("addonProfiles") == {}:
        del given["addonProfiles"]
    for name in ("kubernetesVersion", "nodeResourceGroup"):  # an empty text says nothing
        if given.get(name) == "":
            del given[name]
    identity = members(content.get("identity"))
    properties: Body = {
        **_RUNNING,
        "kubernetesVersion": VERSION,
        "nodeResourceGroup": f"MC_{address.group}_{address.names[0]}_{location}",
        "enableRBAC": True,
        "supportPlan": "KubernetesOfficial",
        **({"servicePrincipalProfile": {"clientId": "msi"}} if identity else {}),
        **{name: old[name] for name in _STAYS if old.get(name)},
        **given,
        **{name: {**section, **members(given.get(name))} for name, section in _SECTIONS.items()},
        "networkProfile": _network_profile(
            _without_nulls(members(given.get("networkProfile"))), members(old.get("networkProfile"))
        ),
        **{name: old[name] for name in _READ_ONLY if name in old},
    }
    properties.setdefault("resourceUID", guid().replace("-", "")[:24])
    if "azurePortalFQDN" not in properties:
        properties |= _names(guid, properties, location)
    properties["currentKubernetesVersion"] = latest(text(properties["kubernetesVersion"]))
    properties |= completed_proxy(properties, old)
    content |= {"location": location, "properties": properties}
    content["sku"] = {"name": "Base", "tier": "Free"} | members(content.get("sku"))
    if identity:
        content["identity"] = _identity(guid, identity, members((before or {}).get("identity")))
    return content


def shown(store: Store, key: str, stored: Stored) -> Body:
    """A cluster or a pool in, its whole body as AKS shows it out."""
    content = stored.content
    head: Body = {"id": stored.id, "name": stored.name, "type": stored.type}
    if stored.type.lower() == AGENT_POOL:
        return head | {"properties": _pool(stored, content)}
    content.pop(UNSEEN, None)
    properties = {"provisioningState": stored.state, **members(content.pop("properties", None))}
    profiles = [{"name": pool.name, **_pool(pool, pool.content)} for pool in store.listed(f"{key}/agentpools")]
    if profiles:
        properties[PROFILES] = profiles
    return head | content | {"eTag": stored.etag, "properties": properties}


def stored_cluster(cluster_id: str, body: Body, guid: Guid) -> Stored:
    """A cluster's body as somebody shows it in, the cluster as it is kept, without its pools, out."""
    content = {name: value for name, value in body.items() if name == UNSEEN or name not in _ENVELOPE}
    properties = dict(members(body.get("properties")))
    properties.pop(PROFILES, None)
    state = text(properties.pop("provisioningState", None)) or "Succeeded"
    encoded = msgspec.json.encode(content | {"properties": properties})
    return Stored(cluster_id, CLUSTERS_SHOWN, encoded, state, text(body.get("eTag")) or guid())


def stored_pool(pool_id: str, profile: Body, guid: Guid) -> Stored:
    """A pool's properties as somebody shows them in, the pool as it is kept out."""
    properties = {name: value for name, value in profile.items() if name not in ("name", "eTag", "provisioningState")}
    state = text(profile.get("provisioningState")) or "Succeeded"
    encoded = msgspec.json.encode({"properties": properties})
    return Stored(pool_id, POOL_TYPE, encoded, state, text(profile.get("eTag")) or guid())


def is_cluster(type_key: str) -> bool:
    """Whether a type is that of clusters or of their agent pools."""
    return type_key in (CLUSTERS, AGENT_POOL)


def _pool(stored: Stored, content: Body) -> Body:
    return members(content.get("properties")) | {"provisioningState": stored.state, "eTag": stored.etag}


def _network_profile(sent: Body, before: Body) -> Body:
    """A network profile as sent and as it was in, the one that is kept out: what is not mentioned stays."""
    given = before | sent
    defaults = dict(_NETWORK)
    if given.setdefault("networkPlugin", "azure") == "azure":
        defaults |= {"networkPolicy": "none", "networkDataplane": "azure"}
        if "networkPlugin" not in before | sent:
            defaults["networkPluginMode"] = "overlay"
    profile = defaults | given
    profile["outboundType"] = spelled(text(profile.get("outboundType")) or LOAD_BALANCER)
    if profile["networkPlugin"] == "kubenet" or profile.get("networkPluginMode") == "overlay":
        profile.setdefault("podCidr", "10.244.0.0/16")
        profile["podCidrs"] = [profile["podCidr"]]
    profile["serviceCidrs"] = [profile["serviceCidr"]]
    outbound = outbound_of(profile)
    balancer, gateway = (
        members(profile.pop("loadBalancerProfile", None)),
        members(profile.pop("natGatewayProfile", None)),
    )
    if outbound == LOAD_BALANCER:
        profile["loadBalancerProfile"] = _balancer_profile(sent, members(before.get("loadBalancerProfile")))
    elif outbound in MANAGED_GATEWAYS:
        profile["loadBalancerProfile"] = {name: value for name, value in balancer.items() if name not in _GOALS}
        profile["loadBalancerProfile"].pop("backendPoolType", None)
        known = members(before.get("natGatewayProfile"))
        counted = {"managedOutboundIPProfile": {"count": 1}, "idleTimeoutInMinutes": 4}
        profile["natGatewayProfile"] = counted | known | gateway | _effective(known)
    return profile


def _balancer_profile(sent: Body, known: Body) -> Body:
    wanted = members(sent.get("loadBalancerProfile"))
    goal = {name: wanted[name] for name in OUTBOUND_GOALS if name in wanted}
    goal = goal or {name: known[name] for name in OUTBOUND_GOALS if name in known}
    goal = goal or {"managedOutboundIPs": {"count": 1}}
    rest = {name: value for name, value in (known | wanted).items() if name not in _GOALS}
    return {"backendPoolType": "nodeIPConfiguration"} | rest | goal | _effective(known)


def _effective(known: Body) -> Body:
    """The addresses that are in use stay shown until an operation has ended, whatever a caller says of them."""
    return {EFFECTIVE: known[EFFECTIVE]} if EFFECTIVE in known else {}


def _names(guid: Guid, properties: Body, location: str) -> Body:
    """Under which names the API server and the portal find the cluster."""
    host = f"{text(properties.get('dnsPrefix')).lower()}-{guid()[:8]}"
    access = members(properties.get("apiServerAccessProfile"))
    names = {"azurePortalFQDN": f"{host}.portal.hcp.{location}.azmk8s.io"}
    if access.get("enablePrivateCluster") is True:
        names["privateFQDN"] = f"{host}.{guid()}.privatelink.{location}.azmk8s.io"
    if "privateFQDN" not in names or access.get("enablePrivateClusterPublicFQDN") is not False:
        names["fqdn"] = f"{host}.hcp.{location}.azmk8s.io"
    return names


def _identity(guid: Guid, sent: Body, before: Body) -> Body:
    """An identity as sent in, with the principals behind it out; they stay the same."""
    if text(sent.get("type")).lower() == "systemassigned":
        return {"type": "SystemAssigned", "principalId": before.get("principalId", guid()), "tenantId": TENANT}
    known = members(before.get("userAssignedIdentities"))
    assigned = {
        name: members(known.get(name)) or {"clientId": guid(), "principalId": guid()}
        for name in members(sent.get("userAssignedIdentities"))
    }
    return sent | ({"userAssignedIdentities": assigned} if assigned else {})


def _without_nulls(body: Body, hidden: tuple[str, ...] = ()) -> Body:
    """An object in, what it says but for `hidden` out: a null member means the same as no member."""
    return {name: value for name, value in body.items() if value is not None and name not in hidden}
