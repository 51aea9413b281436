"""The sandbox's errors. Each message says what is wrong, where to look and what to do."""


class SandboxError(Exception):
    """Something a person must act on: shown without a traceback by the command line."""
