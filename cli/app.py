"""The command `sluice`, from its first moment on."""

import sys

from sandbox.errors import SandboxError

INTERRUPTED = 130
"""The exit code of a program that was ended by Ctrl-C."""


def main() -> None:
    """Run the command; an error that a person must act on is shown without a traceback."""
    try:
        # A second of imports, in which Ctrl-C may come as well.
        from cli.commands import app  # noqa: PLC0415

        app()
    except SandboxError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
