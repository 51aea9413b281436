"""Paths into nested objects, in Pulumi's notation: `spec.http[0].route`, `labels["a.b/c"]`."""

import re
from collections.abc import Sequence
from typing import Any

Path = tuple[str | int, ...]
"""Keys of objects and indices of lists; "*" stands for any of either."""

_STEP = re.compile(r'\.?([^.\[\]"]+)|\[(\d+|\*)\]|\["((?:[^"\\]|\\.)*)"\]')
_SIMPLE = re.compile(r"[A-Za-z_$][\w$]*")


def parse(text: str) -> Path:
    """Raises ValueError for what is no property path."""
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise ValueError(f"{text!r} is no property path: stuck at {text[position:]!r}")
        name, index, quoted = step.groups()
        if index is not None:
            steps.append(index if index == "*" else int(index))
        else:
            steps.append(name if name is not None else re.sub(r"\\(.)", r"\1", quoted))
        position = step.end()
    return tuple(steps)


def render(path: Path) -> str:
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif _SIMPLE.fullmatch(step):
            text += f".{step}" if text else step
        else:
            escaped = step.replace("\\", "\\\\").replace('"', '\\"')
            text += f'["{escaped}"]'
    return text


def covers(pattern: Path, path: Path) -> bool:
    """Whether `path` is what `pattern` names, or lies inside it."""
    return len(pattern) <= len(path) and all(
        wanted in ("*", step) for wanted, step in zip(pattern, path, strict=False)
    )


def find(tree: Any, path: Sequence[str]) -> tuple[bool, Any]:
    """Whether there is something at a path of keys, and what."""
    for key in path:
        if not isinstance(tree, dict) or key not in tree:
            return False, None
        tree = tree[key]
    return True, tree
