"""Facts that only the judging of App Service apps needs: which subnet one leaves by, and with what of its traffic."""

from governor.core.facts import Fact, Tags


class OutboundVnetRouting(Fact, frozen=True):
    """all_traffic turns all the others on; application_traffic was called vnetRouteAllEnabled."""

    all_traffic: bool | None = None
    application_traffic: bool | None = None
    content_share_traffic: bool | None = None
    image_pull_traffic: bool | None = None
    backup_restore_traffic: bool | None = None


class SiteConfig(Fact, frozen=True):
    vnet_route_all_enabled: bool | None = None


class SiteProperties(Fact, frozen=True):
    virtual_network_subnet_id: str | None = None
    server_farm_id: str | None = None
    vnet_route_all_enabled: bool | None = None
    outbound_vnet_routing: OutboundVnetRouting | None = None
    site_config: SiteConfig | None = None


class Site(Fact, frozen=True):
    """A web app, function app or workflow app."""

    id: str
    location: str = ""
    tags: Tags | None = None
    properties: SiteProperties = SiteProperties()
