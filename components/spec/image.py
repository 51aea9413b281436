"""Container image references."""

import re


def release(image: str) -> str:
    """The part of an image reference that names the release: its tag, or its digest's start.

    Raises ValueError for an image that names none: two releases could not be told apart.
    """
    reference, _, digest = image.partition("@")
    if digest:
        algorithm, _, hexes = digest.partition(":")
        if not (algorithm and re.fullmatch(r"[0-9a-f]{32,}", hexes)):
            raise ValueError(f"{image!r} has a malformed digest; write NAME@sha256:HEX")
        return hexes[:12]
    _, _, tag = reference.rpartition("/")[2].partition(":")
    if tag in ("", "latest"):
        raise ValueError(
            f"{image!r} does not say which release it is; give it a tag of its own, "
            f'such as "{reference.removesuffix(":latest")}:1.8.0"'
        )
    if not re.fullmatch(r"\w[\w.-]{0,127}", tag, re.ASCII):
        raise ValueError(f"{tag!r} is no image tag; use letters, digits, '.', '_' and '-'")
    return tag
