"""Numbers as a person reads them. Pure."""

from math import isfinite

from cli.replay.plan import Stage


def time(stage: Stage) -> str:
    minutes, rest = divmod(stage.seconds, 60)
    return f"{stage.seconds}s" if rest else f"{minutes}m"


def seconds(value: float | None) -> str:
    if value is None:
        return "-"
    if not isfinite(value):
        return "> 1 h"
    return f"{value:.0f} s" if value < 600 else f"{value / 60:.0f} min"


def percent(ratio: float) -> str:
    return f"{ratio * 100:.2g} %"


def points(ratio: float) -> str:
    """A difference of ratios."""
    return f"{ratio * 100:.2g} pp"


def share(count: int, of: int) -> str:
    return f"{count / of:.1%}" if of else "-"
