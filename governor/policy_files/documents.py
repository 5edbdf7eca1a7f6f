"""YAML text in; plain values with the line of every key and item, or everything that makes it unreadable, out.

Words are those of YAML 1.2: `off`, `no` and `22:00` are text, as people mean them. Dates are text, too; the model
makes dates of them.
"""

import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from governor.policy_files.errors import Path, PolicyError, written

if TYPE_CHECKING:
    import yaml

# More than a hundred times what a large file holds; aliases of aliases grow without end.
MAX_NODES = 50_000
MAX_DEPTH = 40
_TAG = "tag:yaml.org,2002:"


class Document(Struct, frozen=True):
    """One document of a file. `lines` holds every path that was written."""

    file: str
    value: Any
    lines: dict[Path, int]

    def error(self, path: Path, message: str) -> PolicyError:
        """A path and what is wrong there in; the error at that line, or at the nearest thing that was written, out."""
        near = path
        while near not in self.lines:
            near = near[:-1]
        return PolicyError(self.file, self.lines[near], written(path), message)


@cache
def _loader() -> "type[yaml.SafeLoader]":
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - where PyYAML looks for them

    for name, pattern, first in (
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+", list("-+0123456789")),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ):
        Loader.add_implicit_resolver(_TAG + name, re.compile(f"^(?:{pattern})$"), first)
    return Loader


def read(file: str, content: bytes) -> tuple[tuple[Document, ...], tuple[PolicyError, ...]]:
    """A file's name and content in, its documents and its errors out; documents that say nothing are left out."""
    import yaml

    documents: list[Document] = []
    errors: list[PolicyError] = []
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return (), (PolicyError(file, line, "", "not text in UTF-8"),)
    try:
        for node in yaml.compose_all(text, Loader=_loader()):
            if node.tag == _TAG + "null":
                continue
            reading = _Reading(file)
            value = reading.plain(node, ())
            errors += reading.errors
            if not reading.errors:
                documents.append(Document(file, value, reading.lines))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        errors.append(PolicyError(file, line, "", f"not YAML: the character {chr(error.character)!r} is not allowed"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        errors.append(PolicyError(file, mark.line + 1 if mark else 1, "", f"not YAML: {said}"))
    except (ValueError, OverflowError, RecursionError) as error:
        # PyYAML lets these through for escapes of characters that do not exist and for endless nesting.
        errors.append(PolicyError(file, 1, "", f"not YAML: {error}"))
    return tuple(documents), tuple(errors)


class _Reading:
    """One document on its way from nodes to plain values."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path, int] = {}
        self.errors: list[PolicyError] = []
        self.nodes = 0

    def plain(self, node: "yaml.Node", path: Path) -> Any:
        import yaml

        self.nodes += 1
        self.lines.setdefault(path, node.start_mark.line + 1)
        if len(path) > MAX_DEPTH or self.nodes > MAX_NODES:
            if self.nodes <= MAX_NODES + 1:
                self.complain(node, (), "nested or repeated without end (an alias inside itself?)")
            self.nodes = MAX_NODES + 1
            return None
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*path, index)) for index, item in enumerate(node.value)]
        return self.scalar(node, path)

    def mapping(self, node: "yaml.MappingNode", path: Path) -> dict[str, Any]:
        import yaml

        value: dict[str, Any] = {}
        for key, held in node.value:
            if not isinstance(key, yaml.ScalarNode) or not _whole(key.value):
                self.complain(key, path, "a key must be text")
                continue
            here = (*path, key.value)
            if key.value in value:
                self.complain(key, here, f"the key is given twice, first in line {self.lines[here]}")
                continue
            self.lines[here] = key.start_mark.line + 1
            value[key.value] = self.plain(held, here)
        return value

    def scalar(self, node: "yaml.Node", path: Path) -> Any:
        text = str(node.value)
        if not _whole(text):
            self.complain(node, path, "half of a character (a lone surrogate)")
            return None
        match node.tag.removeprefix(_TAG):
            case "str" | "!":
                return text
            case "null":
                return None
            case "bool" if text.casefold() in {"true", "false"}:
                return text.casefold() == "true"
            case "int" if re.fullmatch(r"[-+]?[0-9]{1,15}", text):
                return int(text)
            case "float" if re.fullmatch(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?", text) and math.isfinite(float(text)):
                return float(text)
            case "int" | "float" | "bool" as kind:
                self.complain(node, path, f"{text!r} is not {'a number that can be used' if kind != 'bool' else kind}")
            case tag:
                self.complain(node, path, f"the tag {tag!r} is not part of the language")
        return None

    def complain(self, node: "yaml.Node", path: Path, message: str) -> None:
        self.errors.append(PolicyError(self.file, node.start_mark.line + 1, written(path), message))


def _whole(text: str) -> bool:
    """Whether a text can be written down again: JSON lets people escape half of a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
