"""What the history says before anything is replayed: its clumps and past releases. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cli.replay import dispersion, warmup
from cli.replay.dispersion import Dispersion
from cli.replay.history import Chunks, History
from cli.replay.split import Past
from cli.replay.warmup import WarmUp

_MINUTE = 60
_WINDOWS = (0, _MINUTE, 300)
"""Seconds; 0 is one interval."""


@dataclass(frozen=True)
class Findings:
    """`past` is the history as releases meet it, by objective; `dispersions` are by objective and
    window, shortest first; `warm_up` is None if no past release is visible.
    """

    history: History
    past: Mapping[str, Past]
    dispersions: Mapping[str, Sequence[Dispersion]]
    warm_up: WarmUp | None

    @property
    def clumps(self) -> Mapping[str, Sequence[Dispersion]]:
        """The windows of an interval and of a minute, which is whole intervals, by objective.

        What spreads over longer is rather the failure rate that changes, for both arms alike. If an
        interval is a minute or longer, it is the only one.
        """
        longest = _MINUTE + self.history.step
        return {
            name: [one for one in windows if one.seconds < longest]
            for name, windows in self.dispersions.items()
        }


def study(history: History, chunks: Chunks) -> Findings:
    per_hour, step = history.per_hour, history.step
    # An interval may be as long as one of them.
    windows = sorted({max(step, window) for window in _WINDOWS})
    measured = {
        name: [
            dispersion.measure(tally.bad, tally.total, step, per_hour, window) for window in windows
        ]
        for name, tally in history.tallies.items()
    }
    past = {
        name: Past(
            tally.bad,
            tally.total,
            dispersion.clump_sizes(measured[name][0], len(tally.total), per_hour),
        )
        for name, tally in history.tallies.items()
    }
    seen = [
        found
        for name, windows in measured.items()
        if (found := warmup.observe(chunks, name, step, windows[0].quantile(0.5) or 1.0))
    ]
    longest = max(seen, key=lambda found: found.seconds, default=None)
    return Findings(history, past, measured, longest)
