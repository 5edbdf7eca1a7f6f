"""The command line: arguments in, an exit code out. What a command needs is imported when it is called.

0: done, or nothing to do. 2: `plan` alone, there is something to do. 1: any error, one line on standard error.
"""

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from cyclopts import App, CycloptsError

DISTRIBUTION = "egress-governor"
FAILED = 1


def _version() -> str:
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "not installed"


def _app() -> App:
    app = App(
        name="egress-governor",
        help="Keeps every subnet on the way out to the internet that policy names.",
        help_epilogue="Settings are environment variables (EGRESS_GOVERNOR_...); --debug adds tracebacks to errors.",
        version=_version,
        result_action="return_value",
    )

    def add(to: App, name: str, where: str, what: str) -> None:
        to.command(f"governor.commands.{where}", name=name, help=what)

    add(app, "demo", "demo:demo", "A tour: a small Azure on this machine is governed while you watch.")
    add(app, "up", "up:up", "Starts the simulator and the local host, until Ctrl-C.")
    add(app, "plan", "plan:plan", "What would be done and what is withheld; changes nothing.")
    add(app, "sweep", "sweep:sweep", "Surveys everything in some scopes and governs it once.")
    add(app, "explain", "explain:explain", "How something leaves for the internet, and why it is judged so.")
    add(app, "addresses", "addresses:addresses", "Which subnets and clusters leave from which public addresses.")
    add(app, "approve", "decide:approve", "Approves withheld repairs, or a class of them for a while.")
    add(app, "reject", "decide:reject", "Rejects withheld repairs.")
    add(app, "undo", "decide:undo", "Takes what a record did back, and leaves it alone for some days.")
    add(app, "pause", "decide:pause", "Stops all writes before the next step.")
    add(app, "resume", "decide:resume", "Lets writes go on, and closes open breakers.")
    records = App(name="records", help="What happened: the ledger.")
    add(records, "list", "records:list_", "The newest records.")
    add(records, "show", "records:show", "One record: cause, verdicts, steps, what is withheld.")
    add(records, "verify", "records:verify", "Checks that no record was changed afterwards.")
    app.command(records)
    notices = App(name="notices", help="What people are told of.")
    add(notices, "list", "notices:list_", "The notices that wait to be sent.")
    app.command(notices)
    policies = App(name="policies", help="The policy files.")
    add(policies, "check", "policies:check", "Shows every error, with file and line.")
    add(policies, "test", "policies:run_cases", "Runs the cases (*.cases.yaml) of a folder.")
    add(policies, "schema", "policies:schema", "Prints the JSON Schema of policy files.")
    export = App(name="export", help="What other things are told of the policies.")
    add(export, "azure-policy", "export_azure_policy:azure_policy", "Azure Policy that denies at the request itself.")
    add(export, "webhook", "export_webhook:webhook", "What a cluster is told, so that it asks about its Services.")
    policies.command(export)
    app.command(policies)
    simulator = App(name="simulator", help="The local Azure Resource Manager alone.")
    simulator.command(
        "governor.commands.up:serve",
        name="serve",
        help="Serves Azure Resource Manager on this machine, until Ctrl-C.",
        help_flags=(),
        version_flags=(),
    )
    app.command(simulator)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """The arguments of the process, or others, in; its exit code out."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [one for one in given if one != "--debug"]
    try:
        answer = _app()(given, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _failed("stopped")
    except BrokenPipeError:
        # Whoever reads the output has seen enough (`| head`); nothing more can be said to him.
        sys.stdout = None
        return FAILED
    except CycloptsError as error:
        return _failed(f"{' '.join(str(error).split())} (see --help)")
    except Exception as error:
        if debug:
            raise
        return _failed(_said(error))
    return answer if isinstance(answer, int) else 0


def _said(error: Exception) -> str:
    """An error in, what it says to people out: one line each for what is wrong."""
    from governor.commands.errors import told

    return told(error)


def _failed(text: str) -> int:
    from governor.commands.screen import visible

    for line in text.splitlines() or [""]:
        print(f"egress-governor: {visible(line)}", file=sys.stderr)
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
