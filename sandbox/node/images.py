"""Which local command stands for which container image, and the command line of a container."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.node.environment import expand

# Image repository (without registry and tag) → its entry point.
IMAGES: Mapping[str, Sequence[str]] = {
    "sluice/judge": (sys.executable, "-m", "plugin"),
    "sluice/demo-app": (sys.executable, "-m", "sandbox.demoapp"),
}


class UnknownImageError(Exception):
    """No command stands for the image; the message names the image and the table."""


def repository(image: str) -> str:
    """`registry.example:5000/sluice/judge:0.1.0@sha256:…` → `sluice/judge`."""
    name = image.partition("@")[0]
    head, _, last = name.rpartition("/")
    name = "/".join(part for part in (head, last.partition(":")[0]) if part)
    registry, _, rest = name.partition("/")
    is_registry = "." in registry or ":" in registry or registry == "localhost"
    return rest if is_registry and rest else name


def command_line(container: Mapping[str, Any], environment: Mapping[str, str]) -> list[str]:
    """The container's full command: `command` replaces the image's entry point, `args` follow.

    `$(NAME)` is expanded from the container's environment. Raises UnknownImageError.
    """
    image = container["image"]
    entry_point = IMAGES.get(repository(image))
    if entry_point is None:
        known = ", ".join(sorted(IMAGES))
        raise UnknownImageError(
            f'image "{image}" has no command in the sandbox. It runs local processes and knows '
            f"{known}; add yours to IMAGES in sandbox/node/images.py."
        )
    command = container.get("command") or entry_point
    return [expand(part, environment) for part in (*command, *container.get("args", ()))]
