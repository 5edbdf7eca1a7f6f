"""What Azure knows: types and api-versions of the providers modelled here, as tables; all names in lower case.

The types and versions of Microsoft.Network are those of its error texts, of Bicep's type index and of the clients of
2026; other providers are known by their first and last versions, and those that are not listed here are not judged.
"""

import msgspec


class Known(msgspec.Struct, frozen=True):
    """A provider's types (none: not judged), its oldest and newest api-version, and all of them where known."""

    first: str
    last: str
    types: frozenset[str] = frozenset()
    versions: tuple[str, ...] = ()


def _types(names: str) -> frozenset[str]:
    return frozenset(names.lower().split())


def _words(texts: str) -> tuple[str, ...]:
    return tuple(texts.split())


NETWORK_VERSIONS = _words(
    """
    2014-12-01-preview 2015-05-01-preview 2015-06-15 2016-03-30 2016-06-01 2016-07-01 2016-08-01 2016-09-01 2016-10-01
    2016-11-01 2016-12-01 2017-03-01 2017-04-01 2017-06-01 2017-08-01 2017-09-01 2017-10-01 2017-11-01 2018-01-01
    2018-02-01 2018-03-01 2018-04-01 2018-05-01 2018-06-01 2018-07-01 2018-08-01 2018-10-01 2018-11-01 2018-12-01
    2019-02-01 2019-04-01 2019-06-01 2019-07-01 2019-08-01 2019-09-01 2019-11-01 2019-12-01 2020-01-01 2020-03-01
    2020-04-01 2020-05-01 2020-06-01 2020-07-01 2020-08-01 2020-11-01 2021-01-01 2021-02-01 2021-03-01 2021-04-01
    2021-05-01 2021-06-01 2021-08-01 2021-12-01 2022-01-01 2022-05-01 2022-07-01 2022-09-01 2022-11-01 2023-02-01
    2023-04-01 2023-05-01 2023-06-01 2023-09-01 2023-11-01 2024-01-01 2024-03-01 2024-05-01 2024-07-01 2024-10-01
    2025-01-01 2025-03-01 2025-05-01 2025-07-01 2025-09-01 2026-01-01 2026-03-01
    """
)
_NETWORK_TYPES = _types(
    """
    applicationGatewayAvailableRequestHeaders applicationGatewayAvailableResponseHeaders
    applicationGatewayAvailableServerVariables applicationGatewayAvailableSslOptions
    applicationGatewayAvailableWafRuleSets applicationGateways applicationGatewayWebApplicationFirewallPolicies
    applicationSecurityGroups authenticationPolicies azureFirewallFqdnTags azureFirewalls azureWebCategories
    bastionHosts bgpServiceCommunities cloudServiceSlots connections customIpPrefixes ddosCustomPolicies
    ddosProtectionPlans dscpConfigurations expressRouteCircuits expressRouteCrossConnections expressRouteGateways
    expressRouteLags expressRoutePorts expressRoutePortsLocations expressRouteProviderPorts
    expressRouteServiceProviders firewallPolicies firstPartyServiceTags interconnectGroups ipAllocations ipGroups
    loadBalancers localNetworkGateways locations natGateways networkIntentPolicies networkInterfaces
    networkManagerConnections networkManagers networkProfiles networkSecurityGroups networkSecurityPerimeters
    networkVirtualApplianceSkus networkVirtualAppliances networkWatchers operations p2sVpnGateways privateEndpoints
    privateLinkServices publicIPAddresses publicIPPrefixes routeFilters routeTables securityPartnerProviders
    serviceEndpointPolicies serviceGateways virtualHubs virtualNetworkAppliances virtualNetworkGateways virtualNetworks
    virtualNetworkTaps virtualRouters virtualWans vpnGateways vpnServerConfigurations vpnSites
    """
)
ELSEWHERE_VERSIONED = _types(
    """
    dnsForwardingRulesets dnsResolverDomainLists dnsResolverPolicies dnsResolvers dnsZones frontDoors
    frontDoorWebApplicationFirewallPolicies networkExperimentProfiles privateDnsZones trafficManagerProfiles
    """
)
"""Types of Microsoft.Network that other teams make, with api-versions of their own: those are not judged."""
CHILDREN: dict[str, frozenset[str]] = {
    "virtualnetworks": _types("subnets virtualNetworkPeerings usages"),
    "virtualnetworks/subnets": _types("resourceNavigationLinks serviceAssociationLinks"),
    "virtualnetworks/virtualnetworkpeerings": frozenset(),
    "natgateways": frozenset(),
    "publicipaddresses": frozenset(),
    "publicipprefixes": frozenset(),
    "routetables": _types("routes"),
    "routetables/routes": frozenset(),
    "networksecuritygroups": _types("securityRules defaultSecurityRules"),
    "networksecuritygroups/securityrules": frozenset(),
    "networkinterfaces": _types("ipConfigurations tapConfigurations loadBalancers"),
    "loadbalancers": _types(
        "backendAddressPools frontendIPConfigurations inboundNatRules loadBalancingRules networkInterfaces "
        "outboundRules probes"
    ),
    "azurefirewalls": frozenset(),
    "firewallpolicies": _types("firewallPolicyDrafts kubeSelectorGroups ruleCollectionGroups signatureOverrides"),
    "virtualnetworkgateways": _types("natRules connections"),
}
"""What hangs under the types of Microsoft.Network that are modelled; of others any child is taken."""
RESOURCE_MANAGER = Known("2014-04-01", "2026-06-01")
"""Subscriptions, groups and lists of resources: Resource Manager's own."""
PROVIDERS: dict[str, Known] = {
    "microsoft.network": Known(NETWORK_VERSIONS[0], NETWORK_VERSIONS[-1], _NETWORK_TYPES, NETWORK_VERSIONS),
    "microsoft.authorization": Known(
        "2014-04-01-preview",
        "2026-07-01",
        _types(
            """
            accessReviewHistoryDefinitions accessReviewScheduleDefinitions accessReviewScheduleSettings
            dataPolicyManifests denyAssignments locks operations permissions policyAssignments policyDefinitions
            policyEnrollments policyExemptions policySetDefinitions privateLinkAssociations providerOperations
            resourceManagementPrivateLinks roleAssignmentApprovals roleAssignmentScheduleInstances
            roleAssignmentScheduleRequests roleAssignmentSchedules roleAssignments roleDefinitions
            roleEligibilityScheduleInstances roleEligibilityScheduleRequests roleEligibilitySchedules
            roleManagementPolicies roleManagementPolicyAssignments variables
            """
        ),
    ),
    "microsoft.containerservice": Known(
        "2015-11-01-preview",
        "2026-08-02-preview",
        _types(
            "containerServices deploymentSafeguards fleetMemberships fleets locations managedClusters "
            "managedClusterSnapshots openShiftManagedClusters operations snapshots"
        ),
    ),
    "microsoft.eventgrid": Known(
        "2017-06-15-preview",
        "2025-07-15-preview",
        _types(
            "domains eventSubscriptions extensionTopics locations namespaces operations partnerConfigurations "
            "partnerDestinations partnerNamespaces partnerRegistrations partnerTopics systemTopics topicTypes topics "
            "verifiedPartners"
        ),
    ),
    "microsoft.management": Known(
        "2017-08-31-preview",
        "2024-02-01-preview",
        _types(
            "checkNameAvailability entities getEntities managementGroups operations serviceGroups startTenantBackfill"
        ),
    ),
    "microsoft.resourcegraph": Known(
        "2018-09-01-preview", "2024-04-01", _types("operations queries resourceChanges resources resourcesHistory")
    ),
    "microsoft.resources": Known(
        "2014-04-01",
        "2026-06-01",
        _types(
            "checkPolicyCompliance deploymentScripts deploymentStacks deploymentStacksWhatIfResults deployments links "
            "locations operations providers resourceGroups resources subscriptions tags templateSpecs"
        ),
    ),
}
OTHERS = Known("2014-01-01", "2026-11-21")
"""Any other provider: nothing is that old, and nothing newer had been heard of when these tables were made."""
