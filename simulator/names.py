"""What may be the name of a group, a resource or a tag: one in, nothing or its refusal out."""

import re

from simulator import errors
from simulator.ids import FIREWALL, VNET
from simulator.wire import Body, members

LONGEST_GROUP = 90
LONGEST = {VNET: 64, FIREWALL: 56}
"""Of most network resources 80 characters may be the name."""
MOST_TAGS = 50
RESERVED = ("microsoft", "azure", "windows")
LONGEST_TAG_NAME, LONGEST_TAG_VALUE = 512, 256
_RESOURCE = re.compile(r"\w([\w.-]*\w)?")
_NOT_IN_GROUPS = re.compile(r"[^\w.()-]")
_NOT_IN_TAGS = re.compile(r"[<>%&\\?/\x00-\x1f\x7f]")
_HIDDEN = ("hidden-", "link:")
"""Tags whose names begin so may hold any character."""


def check_group(name: str) -> None:
    """The name of a group that is to be made in."""
    if len(name) > LONGEST_GROUP:
        why = f"has a length of '{len(name)}' which exceeds the maximum length of '{LONGEST_GROUP}'."
    elif wrong := _NOT_IN_GROUPS.findall(name):
        why = (
            f"has these invalid characters: '{''.join(dict.fromkeys(wrong))}'. The name can only be a letter, digit, "
            "'-', '.', '(', ')' or '_'."
        )
    elif name.endswith("."):
        why = "ends with a period."
    else:
        return
    raise errors.gateway(400, "InvalidResourceGroup", f"The provided resource group name '{name}' {why}")


def check_resource(type_key: str, name: str) -> None:
    """The type and name of a network resource, or the name of a part of one, that is to be made in."""
    most = LONGEST.get(type_key, 80)
    if len(name) > most or not _RESOURCE.fullmatch(name):
        raise errors.bad(
            "InvalidResourceName",
            f"Resource name {name} is invalid. The name can be up to {most} characters long. It must begin with a word "
            "character, and it must end with a word character or with '_'. The name may contain word characters or "
            "'.', '-', '_'.",
        )


def check_tags(sent: Body) -> None:
    """A body in; ARM looks at its tags before any provider does."""
    tags = sent.get("tags")
    if tags is None:
        return
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise errors.invalid_content("The value of 'tags' must be a JSON object of texts.")
    if len(tags) > MOST_TAGS:
        raise errors.gateway(
            400, "TooManyTags", f"The number of tags '{len(tags)}' exceeds the maximum of '{MOST_TAGS}'."
        )
    if len({name.casefold() for name in tags}) < len(tags):
        raise errors.gateway(400, "DuplicateTagNames", "The names of tags do not differ by more than their case.")
    reserved = [name for name in tags if _NOT_IN_TAGS.search(name) and not name.lower().startswith(_HIDDEN)]
    if reserved:
        raise errors.gateway(
            400,
            "InvalidTagNameCharacters",
            f"The tag names '{', '.join(reserved)}' have reserved characters '<,>,%,&,\\,?,/' or control characters.",
        )
    kept = [name for name in tags if name.lower().startswith(RESERVED)]
    if kept:
        raise errors.gateway(
            400,
            "ReservedTagName",
            f"The tag names '{', '.join(kept)}' begin with a reserved prefix: '{', '.join(RESERVED)}'.",
        )
    for name, value in members(tags).items():
        if not name or len(name) > LONGEST_TAG_NAME:
            raise errors.gateway(
                400,
                "InvalidTagName",
                f"Tag key too large. Following tag name '{name}' exceeded the maximum length. Maximum allowed length "
                f"for tag name - '{LONGEST_TAG_NAME}' characters."
                if name
                else "The tag name must not be empty.",
            )
        if len(value) > LONGEST_TAG_VALUE:
            raise errors.gateway(
                400,
                "InvalidTagValueLength",
                f"Tag value too large. Following tag value '{value}' exceeded the maximum length. Maximum allowed "
                f"length for tag value - '{LONGEST_TAG_VALUE}' characters.",
            )
