"""A FunctionApp and settings in, its functions out: trigger, outputs, how to call each; every name resolved."""

import importlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import azure.functions as func

from devhost import signature
from devhost.settings import StartError, resolve

TRIGGERS = ("eventGridTrigger", "timerTrigger", "queueTrigger", "httpTrigger")


@dataclass(frozen=True)
class Queue:
    """A queue by its name and the folder of the store that holds it."""

    store: Path
    name: str


@dataclass(frozen=True)
class Function:
    """One function of the app."""

    name: str
    call: Callable[..., Any]
    signature: signature.Signature
    trigger: Mapping[str, Any]
    queue: Queue | None
    outputs: Mapping[str, Queue]
    directory: str

    @property
    def kind(self) -> str:
        """The type of its trigger."""
        return str(self.trigger["type"])


def load(root: Path) -> func.FunctionRegister:
    """Imports function_app from the app's folder and finds the one app in it."""
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    return find(importlib.import_module("function_app"))


def find(module: ModuleType) -> func.FunctionRegister:
    """The one top-level app of a module."""
    apps = {id(value): value for value in vars(module).values() if isinstance(value, func.FunctionRegister)}
    if len(apps) != 1:
        raise StartError(f"{module.__name__}: expected one top-level FunctionApp, found {len(apps)}")
    return apps.popitem()[1]


def read(app: func.FunctionRegister, settings: Mapping[str, str]) -> tuple[Function, ...]:
    """Every function of the app, ready to be served; the first that cannot be served stops the start."""
    # The app remembers the names it has handed out and would take a second reading for duplicates.
    app.functions_bindings = None
    try:
        indexed = app.get_functions()
    except ValueError as error:
        raise StartError(f"cannot index the app: {error}") from error
    return tuple(_function(each, settings) for each in indexed)


def sqlite_folder(connection: str, settings: Mapping[str, str], function: str) -> Path:
    """The folder that a binding's connection setting names; only `sqlite:DIR` is served."""
    setting = connection or "AzureWebJobsStorage"
    value = settings.get(setting, settings.get(f"AzureWebJobs{setting}"))
    if value is None:
        raise StartError(f"Error indexing function '{function}': the connection setting {setting} has no value.")
    if not value.startswith("sqlite:") or value == "sqlite:":
        raise StartError(f"{setting} (function '{function}'): devhost only serves stores like sqlite:DIR for now.")
    return Path(value.removeprefix("sqlite:")).expanduser().resolve()


def _function(indexed: Any, settings: Mapping[str, str]) -> Function:
    name = str(indexed.get_function_name())
    bindings: list[dict[str, Any]] = [
        {key: resolve(value, settings, name) if isinstance(value, str) else value for key, value in binding.items()}
        for binding in map(json.loads, indexed.get_raw_bindings())
    ]
    if indexed.get_settings_dict("retry_policy"):
        raise StartError(f"cannot serve function '{name}': devhost does not follow retry policies")
    trigger = next((each for each in bindings if each["type"] in TRIGGERS), None)
    if trigger is None:
        kinds = ", ".join(str(each["type"]) for each in bindings)
        raise StartError(f"cannot serve function '{name}': none of its bindings ({kinds}) is a trigger devhost knows")
    for each in bindings:
        known = each is trigger or each["type"] == "queue" or (each["type"] == "http" and each["name"] == "$return")
        if not known:
            raise StartError(f"cannot serve function '{name}': devhost does not know bindings of type {each['type']}")
    call = indexed.get_user_function()
    return Function(
        name=name,
        call=call,
        signature=signature.read(name, call, bindings),
        trigger=trigger,
        queue=_queue(trigger, settings, name) if trigger["type"] == "queueTrigger" else None,
        outputs={str(each["name"]): _queue(each, settings, name) for each in bindings if each["type"] == "queue"},
        directory=str(Path(call.__code__.co_filename).parent),
    )


def _queue(binding: Mapping[str, Any], settings: Mapping[str, str], function: str) -> Queue:
    # Azure Storage knows lower-case names only; the host lowers them too.
    store = sqlite_folder(str(binding.get("connection") or ""), settings, function)
    return Queue(store, str(binding["queueName"]).lower())
