"""Splits past requests into the two arms of a release of an identical version. Pure."""

from dataclasses import dataclass

import numpy as np

from plugin.statistics.evidence import Array, Strata

Random = np.random.Generator


@dataclass(frozen=True)
class Past:
    """The counts that a release would have met; `clump` is the failures' φ per interval."""

    bad: Array
    total: Array
    clump: Array

    def __getitem__(self, index: slice) -> "Past":
        return Past(self.bad[index], self.total[index], self.clump[index])

    def __len__(self) -> int:
        return len(self.total)


def split(rng: Random, past: Past, weight: float, extra: float = 0.0) -> Strata:
    """Each request goes to the canary with probability `weight`, each clump of failures as a whole.

    Splitting the failures of a clump one by one would make them as independent as the judge hopes
    they are. Of the canary's good requests a fraction `extra` is made to fail.
    """
    bad, total = np.rint(past.bad).astype(np.int64), np.rint(past.total).astype(np.int64)
    size = _sizes(rng, past.clump)
    clumps, rest = np.divmod(bad, size)
    failed = size * rng.binomial(clumps, weight) + rest * rng.binomial(1, weight, len(rest))
    served = rng.binomial(total - bad, weight)
    injected = rng.binomial(served, extra)
    return Strata(
        (failed + injected).astype(np.float64),
        (failed + served).astype(np.float64),
        (bad - failed).astype(np.float64),
        (total - failed - served).astype(np.float64),
    )


def _sizes(rng: Random, phi: Array) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Whole sizes around φ. With one size per interval, their mean over the failures is φ."""
    low = np.floor(phi)
    return (low + (rng.random(len(phi)) < phi - low)).astype(np.int64)
