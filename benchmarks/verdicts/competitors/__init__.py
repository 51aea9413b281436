"""What releases are decided by elsewhere, written from public descriptions.

Each is a function from the counts to the number of intervals after which it aborts, or None if it
promotes in the end.
"""

from collections.abc import Callable

from benchmarks.verdicts.competitors.kayenta import kayenta
from benchmarks.verdicts.competitors.threshold import argo, flagger
from benchmarks.verdicts.competitors.ztest import z_test
from plugin.statistics.evidence import Strata

Competitor = Callable[[Strata], int | None]

COMPETITORS: dict[str, Competitor] = {
    "Argo's docs: ≥ 95 %, 5 min": argo,
    "Flagger's docs: ≥ 99 %, 1 min": flagger,
    "z-test at every look": z_test,
    "Kayenta, look every 10 min": kayenta,
}
