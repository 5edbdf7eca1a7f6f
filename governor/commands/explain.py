"""`explain`: a resource id in; how it leaves for the internet, who lives there, which policy governs it, out."""

from pathlib import Path

from governor.commands import estate_file, explain_azure, explaining, screen
from governor.commands.deployment import policies_of
from governor.commands.errors import CommandError
from governor.commands.explain_view import show
from governor.core import ids


def explain(
    resource_id: str, *, estate: Path | None = None, policies: Path | None = None, for_aks: bool = False
) -> int:
    """Show how something leaves for the internet, and why it is judged so.

    Parameters
    ----------
    resource_id: str
        Id of a subnet, a virtual network (each of its subnets), a cluster, what may have a public address (network
        interface, scale set, load balancer, public IP address), of something that subnets leave by, or of a
        subscription (all in it, and what is kept in its Azure Policy).
    estate: Path
        A file that Azure exported; without it, Azure or the simulator is read now.
    policies: Path
        Folder of policy files; without it, the one of the deployment.
    for_aks: bool
        Show instead how to make an AKS cluster in the subnet so that it complies from the start.
    """
    wanted = explaining.checked(resource_id)
    if for_aks and ids.kind(wanted) != ids.SUBNET:
        raise CommandError(f"--for-aks asks about a subnet, and {wanted} is none")
    if estate is not None:
        file = estate_file.read(estate)
        found = explaining.in_file(wanted, file, policies_of(policies))
    else:
        found = explain_azure.in_azure(wanted, policies)
    console = screen.out()
    show(found, console, for_aks=for_aks)
    return 0
