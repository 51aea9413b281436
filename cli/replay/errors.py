"""What a person has to put right before a replay can run."""


class ReplayError(Exception):
    """The history cannot be replayed; the message says why and what to do."""


class InputError(ReplayError):
    """An option is wrong. `option` is its name on the command line, or in the environment."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(f"{option}: {message}")
