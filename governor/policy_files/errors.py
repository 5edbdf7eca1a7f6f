"""What is wrong with files that people wrote: where, what was found and what was expected."""

from collections.abc import Iterable

from msgspec import Struct

# Keys of mappings and positions in lists, from the top of a document.
Path = tuple[str | int, ...]


class Complaint(Struct, frozen=True):
    """Something wrong at a path of a document whose file and line are not known yet."""

    path: Path
    message: str


class PolicyError(Struct, frozen=True, order=True):
    """Something wrong in a file; `line` counts from 1, `path` is "" for the document itself."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}"
        return f"{where}: {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class PolicyErrors(Exception):  # noqa: N818 - it holds all of them, and says so
    """Everything that is wrong with a folder of files; its text is one line for each."""

    def __init__(self, errors: Iterable[PolicyError]) -> None:
        self.errors = tuple(sorted(set(errors)))
        super().__init__("\n".join(str(error) for error in self.errors))


def written(path: Path) -> str:
    """A path in, its text out: `select.regions[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
