"""What to ask for the signals of a question."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial

from plugin.counts.answer import Part
from plugin.indicators import Arm, Field, Scheme, scheme_of
from plugin.promql.expressions import Insert, read_value
from plugin.promql.matchers import Matcher, selector
from plugin.signals.pods import Pods
from plugin.slo import CPU, MEMORY, Bound

PODS, RESTARTS, OOM, CRASH = "pods.count", "pods.restarts", "pods.oom_killed", "pods.crash_loop"
FAILED_SCRAPES = "pods.failed_scrapes"
"""Parts of the query. The point keeps them apart from a team's own names."""
_LONGEST_HELD = timedelta(minutes=2)


def parts(
    bounds: tuple[Bound, ...],
    arms: Mapping[str, Arm],
    application: Scheme,
    replicas: Sequence[str],
    scrape_interval: int,
) -> Iterator[Part]:
    """Every bound's value per arm, and the state of each arm's pods."""
    for name, arm in arms.items():
        pods = pods_of(name, arm, application)
        for bound in bounds:
            if bound.value is None:
                value = {CPU: pods.throttled, MEMORY: pods.memory}[bound.name]()
            else:
                held = _held(bound.lasting, scrape_interval)
                put = Insert(partial(_matchers, name, arm, application), replicas, held)
                furthest = "max" if bound.most is not None else "min"
                written = read_value(bound.value)
                value = f"{furthest}({written.within(put)})"
                if name == "canary":
                    yield _value(series_of(bound), written.series_within(put))
            yield _value(f"{name} {bound.name}", _finite(value))
        yield _value(f"{name} {PODS}", pods.count())
        if name == "canary" and any(bound.value is not None for bound in bounds):
            yield _value(FAILED_SCRAPES, _failed_scrapes(name, arm, application))
        stable = name != "canary"
        restarts = pods.recent_restarts() if stable else pods.restarts()
        yield _value(f"{name} {RESTARTS}", restarts)
        yield _value(f"{name} {OOM}", pods.oom_killed(recently=stable))
        yield _value(f"{name} {CRASH}", pods.crash_loop())


def pods_of(name: str, arm: Arm, application: Scheme) -> Pods:
    """The pods whose labels the application's own metrics carry."""
    (own,) = application.matchers(name, arm)
    namespace, *labelled = own
    return Pods(
        namespace=namespace.value,
        workload=arm[Field.WORKLOAD] or "",
        labelled=[(one.label, one.operator, one.value) for one in labelled],
        targets=namespace.label == "namespace",
    )


def series_of(bound: Bound) -> str:
    """The part that tells how many series of the canary's a limit reads."""
    return f"{bound.name} series"


def _failed_scrapes(name: str, arm: Arm, application: Scheme) -> str:
    """How many of an arm's targets could not be scraped, where targets carry the arms' labels."""
    (own,) = application.matchers(name, arm)
    return f"count({selector('up', own)} == 0)"


def _held(lasting: timedelta, scrape_interval: int) -> timedelta:
    """How long a sample of a limit's is one of now: so long that one missed scrape is no gap.

    Half of the time for which the bound is exceeded before it fails, so that never one sample does
    it, and what is scraped or recorded less often is seen throughout all the same.
    """
    scrapes = timedelta(seconds=2 * scrape_interval)
    return max(scrapes, min(lasting / 2, _LONGEST_HELD))


def _matchers(name: str, arm: Arm, application: Scheme, metric: str) -> tuple[Matcher, ...]:
    return scheme_of(metric, application).matchers(name, arm)[0]


def _finite(value: str) -> str:
    """Without NaN and infinities: a division by nothing is no value."""
    return f"(({value}) > -Inf) < +Inf"


def _value(name: str, text: str) -> Part:
    return Part(name, text, counts=False)
