"""Which JSON type each known member of a cluster's or pool's body has: a body in, nothing or AKS's refusal out."""

from simulator import errors
from simulator.forms import form, many, problem_in
from simulator.ids import AGENT_POOL, CLUSTERS
from simulator.wire import Body

_REFERENCES = many(form(id=str))
_POOL = {
    "count": int,
    "vmSize": str,
    "osDiskSizeGB": int,
    "maxPods": int,
    "mode": str,
    "type": str,
    "osType": str,
    "orchestratorVersion": str,
    "vnetSubnetID": str,
    "podSubnetID": str,
    "enableAutoScaling": bool,
    "minCount": int,
    "maxCount": int,
    "enableNodePublicIP": bool,
    "nodePublicIPPrefixID": str,
    "scaleSetPriority": str,
    "gatewayProfile": form(publicIPPrefixSize=int),
    "networkProfile": form(nodePublicIPTags=many(form(ipTagType=str, tag=str))),
}
_BALANCER = form(
    managedOutboundIPs=form(count=int),
    outboundIPs=form(publicIPs=_REFERENCES),
    outboundIPPrefixes=form(publicIPPrefixes=_REFERENCES),
    allocatedOutboundPorts=int,
    idleTimeoutInMinutes=int,
    backendPoolType=str,
)
_GATEWAY = form(managedOutboundIPProfile=form(count=int), idleTimeoutInMinutes=int, sku=str)
_NETWORK = form(
    networkPlugin=str,
    networkPluginMode=str,
    networkPolicy=str,
    outboundType=str,
    loadBalancerSku=str,
    podCidr=str,
    serviceCidr=str,
    dnsServiceIP=str,
    loadBalancerProfile=_BALANCER,
    natGatewayProfile=_GATEWAY,
)
_ACCESS = form(
    authorizedIPRanges=many(str),
    enablePrivateCluster=bool,
    enablePrivateClusterPublicFQDN=bool,
    privateDNSZone=str,
    enableVnetIntegration=bool,
    subnetId=str,
)
_FORMS = {
    CLUSTERS: form(
        location=str,
        identity=form(type=str, userAssignedIdentities=dict),
        properties=form(
            kubernetesVersion=str,
            dnsPrefix=str,
            nodeResourceGroup=str,
            agentPoolProfiles=many(form(name=str, **_POOL)),
            networkProfile=_NETWORK,
            apiServerAccessProfile=_ACCESS,
            nodeResourceGroupProfile=form(restrictionLevel=str),
            bootstrapProfile=form(artifactSource=str),
            httpProxyConfig=form(enabled=bool, httpProxy=str, httpsProxy=str, noProxy=many(str), trustedCa=str),
        ),
    ),
    AGENT_POOL: form(properties=form(**_POOL)),
}


def check_cluster_form(type_key: str, sent: Body) -> None:
    """A body in; refused when a member of it is of another JSON type than AKS reads there."""
    problem = problem_in(sent, _FORMS[type_key])
    if problem is not None:
        what, path = problem
        raise errors.cluster(400, "UnmarshalError", f"UnmarshalEntity encountered error: {what} at '{path}'.")
