"""Facts that only the judging of public addresses needs: scale sets, when addresses were made, who names them."""

from msgspec import field

from governor.core.facts import Fact, PublicIp, Ref, Tags


class AddressConfiguration(Fact, frozen=True):
    name: str = ""


class InstanceConfigurationProperties(Fact, frozen=True):
    subnet: Ref | None = None
    public_ip_address_configuration: AddressConfiguration | None = field(
        name="publicIPAddressConfiguration", default=None
    )


class InstanceConfiguration(Fact, frozen=True):
    name: str = ""
    properties: InstanceConfigurationProperties = InstanceConfigurationProperties()


class InterfaceProperties(Fact, frozen=True):
    ip_configurations: tuple[InstanceConfiguration, ...] | None = None
    enable_ip_forwarding: bool | None = field(name="enableIPForwarding", default=None)


class Interface(Fact, frozen=True):
    name: str = ""
    properties: InterfaceProperties = InterfaceProperties()


class NetworkProfile(Fact, frozen=True):
    network_interface_configurations: tuple[Interface, ...] | None = None


class MachineProfile(Fact, frozen=True):
    network_profile: NetworkProfile | None = None


class ScaleSetProperties(Fact, frozen=True):
    provisioning_state: str | None = None
    virtual_machine_profile: MachineProfile | None = None


class ScaleSet(Fact, frozen=True):
    """The model of a scale set: what the next instance will be like."""

    id: str
    location: str = ""
    tags: Tags | None = None
    properties: ScaleSetProperties = ScaleSetProperties()

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        profile = self.properties.virtual_machine_profile
        network = profile.network_profile if profile else None
        return (network.network_interface_configurations or ()) if network else ()

    @property
    def configurations(self) -> tuple[InstanceConfiguration, ...]:
        return tuple(one for nic in self.interfaces for one in nic.properties.ip_configurations or ())

    @property
    def gives_addresses(self) -> bool:
        """Whether the model gives every instance a public address."""
        return any(one.properties.public_ip_address_configuration is not None for one in self.configurations)

    @property
    def forwards(self) -> bool:
        return any(nic.properties.enable_ip_forwarding for nic in self.interfaces)


class InstanceAddresses(Fact, frozen=True):
    """The public addresses that the instances of a scale set have; no other list holds them (facts/azure.md 6)."""

    id: str
    value: tuple[PublicIp, ...] = ()


class CreationTime(Fact, frozen=True):
    id: str
    created_time: str | None = None


class CreationTimes(Fact, frozen=True):
    """When the addresses and prefixes of a subscription were made; their own bodies do not say it."""

    id: str
    value: tuple[CreationTime, ...] = ()


class ApiManagementProperties(Fact, frozen=True):
    public_ip_address_id: str | None = None


class ApiManagement(Fact, frozen=True):
    """It names its public address; the address does not name it."""

    id: str
    properties: ApiManagementProperties = ApiManagementProperties()
