"""Secrets from files, as Kubernetes mounts them."""

from pathlib import Path

_MAX_BYTES = 64 * 1024


class SecretError(Exception):
    """The file holds no secret; the message names it, and never what is in it."""


def read_secret(file: Path) -> str:
    """One line of visible ASCII, as it is now: files that are mounted may change at any time."""
    lines = read_secrets(file)
    if len(lines) != 1:
        raise SecretError(f"{file} has to hold one line, not {len(lines)}")
    return lines[0]


def read_secrets(file: Path) -> list[str]:
    """Its lines, at least one. Raises SecretError."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_MAX_BYTES)
    except OSError as error:
        raise SecretError(f"{file} cannot be read: {error.strerror}") from None
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    if not lines:
        raise SecretError(f"{file} is empty")
    if not all(0x20 <= byte < 0x7F for line in lines for byte in line):
        raise SecretError(f"{file} has to be ASCII text")
    return [line.decode() for line in lines]
