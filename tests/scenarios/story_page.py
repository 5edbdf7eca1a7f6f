"""A page of docs/stories as a test reads it: its policy, and what it says people will read.

page = Page("a-you-ask-first.md")
page.says(output)      # the next block of text on the page stands in the output
page.is_told()         # nothing is left that nobody has compared
"""

import re
from pathlib import Path
from typing import Final

from governor.core.policy import Policies
from governor.policy_files import load

STORIES: Final = Path(__file__).parents[2] / "docs" / "stories"


class Page:
    """Blocks of the language `text` are what is printed; a line of three dots stands for anything between.

    chapter: a heading of the page; without it, what stands before the first one.
    """

    def __init__(self, name: str, chapter: str = "") -> None:
        first, *others = re.split(r"^## ", (STORIES / name).read_text(), flags=re.MULTILINE)
        (told,) = [one for one in others if one.startswith(f"{chapter}\n")] if chapter else [first]
        blocks = re.findall(r"^```(\w*)\n(.*?)^```$", told, re.DOTALL | re.MULTILINE)
        self._policy = "".join(text for language, text in blocks if language == "yaml")
        self._texts = [text for language, text in blocks if language == "text"]

    def policies(self, folder: Path) -> Policies:
        """The policy that the page shows, read from a file as every policy is."""
        folder.mkdir()
        (folder / "policy.yaml").write_text(self._policy)
        return load(folder)

    def says(self, output: str) -> None:
        """What a person reads at this place of the story."""
        rest = _plain(output)
        for part in re.split(r"^\.\.\.$", self._texts.pop(0), flags=re.MULTILINE):
            assert _plain(part) in rest, (part, output)
            rest = rest.partition(_plain(part))[2]

    def is_told(self) -> None:
        assert self._texts == []


def _plain(text: str) -> str:
    """Text without the way it is broken into lines."""
    return " ".join(text.split())
