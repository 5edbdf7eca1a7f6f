"""`explain`: a resource id in; how it leaves for the internet, who lives there, which policy governs it, out."""

from pathlib import Path

from governor.commands import estate_file, explaining, screen
from governor.commands.deployment import policies_of
from governor.commands.explain_view import show


def explain(resource_id: str, *, estate: Path | None = None, policies: Path | None = None) -> int:
    """Show how something leaves for the internet, and why it is judged so.

    Parameters
    ----------
    resource_id: str
        Id of a subnet, of a virtual network (each of its subnets), or of something that subnets leave by.
    estate: Path
        A file that Azure exported; without it, Azure or the simulator is read now.
    policies: Path
        Folder of policy files; without it, the one of the deployment.
    """
    wanted = explaining.checked(resource_id)
    if estate is not None:
        file = estate_file.read(estate)
        found = explaining.in_file(wanted, file, policies_of(policies))
    else:
        found = explaining.in_azure(wanted, policies)
    console = screen.out()
    show(found, console)
    return 0
