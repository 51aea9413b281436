"""What to ask for the signals of a question."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from math import ceil

from plugin.counts.answer import Part
from plugin.indicators import Arm, Field, Scheme, scheme_of
from plugin.promql.expressions import Insert, Value, is_recorded, read_value
from plugin.promql.matchers import Matcher
from plugin.promql.query import REPLICAS
from plugin.promql.targets import MEASURED, reached
from plugin.signals.pods import Pods
from plugin.slo import MEMORY, Bound

PODS, RESTARTS, OOM, CRASH = "pods.count", "pods.restarts", "pods.oom_killed", "pods.crash_loop"
RESTARTED, KILLS = "pods.restarted", "pods.oom_kills"
"""Parts of the query. The point keeps them apart from a team's own names."""
_CONTAINER = ("pod", "container")
SERIES, FAILED = "series", "failed"
"""Of the parts that tell whether all that a limit's value is made of was scraped."""
THROUGHOUT = "throughout"
"""Of the values that an arm had at all times between two intervals."""
_LEAST_SCRAPES = 3
_LONGEST_HELD = timedelta(minutes=2)


def parts(
    bounds: tuple[Bound, ...],
    arms: Mapping[str, Arm],
    application: Scheme,
    step: int,
    scrape_interval: int,
) -> Iterator[Part]:
    """Every bound's value per arm, and the state of each arm's pods, per `step` seconds."""
    for name, arm in arms.items():
        pods = pods_of(name, arm, application)
        for bound in lasting(bounds, scrape_interval):
            if bound.value is None:
                # What lies between two long intervals: see `_throughout`.
                extreme = "min" if name == "canary" else "max"
                memory = pods.memory(step, extreme if step > scrape_interval else "last")
                value = memory if bound.name == MEMORY else pods.throttled(step)
            else:
                held = _held(bound.lasting, scrape_interval)
                put = Insert(partial(_matchers, name, arm, application), REPLICAS, held)
                furthest = "max" if bound.most is not None else "min"
                written = read_value(bound.value)
                value = f"{furthest}({written.within(put)})"
                yield _value(f"{name} {bound.name} {SERIES}", written.series_within(put))
                failed = _failed_scrapes(written, name, arm, application)
                yield _value(f"{name} {bound.name} {FAILED}", failed)
                if step > scrape_interval:
                    all_along = _throughout(value, bound, name, step, scrape_interval)
                    yield _value(f"{name} {bound.name} {THROUGHOUT}", all_along)
            yield _value(f"{name} {bound.name}", _finite(value))
        yield _value(f"{name} {PODS}", pods.count())
        canary = name == "canary"
        yield _value(f"{name} {CRASH}", pods.crash_loop(recently=not canary))
        yield Part(f"{name} {RESTARTED}", pods.restarted(step, of_now=canary), _CONTAINER)
        yield Part(f"{name} {KILLS}", pods.oom_kills(step, of_now=canary), _CONTAINER)
        if canary:
            yield _value(f"{name} {RESTARTS}", pods.restarts())
            yield _value(f"{name} {OOM}", pods.oom_killed())


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


def _failed_scrapes(written: Value, name: str, arm: Arm, application: Scheme) -> str:
    """How many of the targets that an arm's value is measured on could not be scraped.

    A target is one of them if it had such series within an hour; of a pair of Prometheus servers
    one that reaches it is enough. What is recorded names no target: then all of the arm's count,
    where targets carry its labels.
    """
    (own,) = application.matchers(name, arm)
    metrics = [metric for metric, _ in written.used]
    if any(map(is_recorded, metrics)):
        return f"count({_down(own)})"
    applications = all(scheme_of(metric, application) == application for metric in metrics)
    put = Insert(partial(_matchers, name, arm, application), held=MEASURED)
    down, targets = _down(own[:1] if applications else ()), written.targets_within(put)
    return f"count(({down}) and on (job, instance) ({targets}))"


def _down(matchers: tuple[Matcher, ...]) -> str:
    return f"{reached(matchers)} == 0"


def lasting(bounds: tuple[Bound, ...], scrape_interval: int) -> tuple[Bound, ...]:
    """The bounds, each for longer than a sample is held: one alone fails no release."""
    least = timedelta(seconds=_LEAST_SCRAPES * scrape_interval)
    return tuple(replace(bound, lasting=max(bound.lasting, least)) for bound in bounds)


def _held(lasting: timedelta, scrape_interval: int) -> timedelta:
    """How long a sample of a limit's is one of now: so long that one missed scrape is no gap.

    Half of the time for which the bound is exceeded before it fails, so that what is scraped or
    recorded less often is seen throughout all the same.
    """
    scrapes = timedelta(seconds=2 * scrape_interval)
    return max(scrapes, min(lasting / 2, _LONGEST_HELD))


def _throughout(value: str, bound: Bound, name: str, step: int, scrape_interval: int) -> str:
    """The canary's value that is beyond a bound only if it was so at every scrape of the last
    `step` seconds; and stable's, if it was at any. None if it was not seen throughout.

    What is beyond for a moment, again and again, may be so whenever an interval ends. An interval
    that is longer than the bound's time is not looked at for longer: that is dear.
    """
    lowest = (bound.most is not None) == (name == "canary")
    function, unseen = ("min_over_time", "-Inf") if lowest else ("max_over_time", "+Inf")
    seconds = min(step, ceil(bound.lasting / timedelta(seconds=1)) + scrape_interval)
    samples = f"({_finite(value)} or vector({unseen}))[{seconds}s:{scrape_interval}s]"
    return _finite(f"{function}({samples})")


def _matchers(name: str, arm: Arm, application: Scheme, metric: str) -> tuple[Matcher, ...]:
    return scheme_of(metric, application).matchers(name, arm)[0]


def _finite(value: str) -> str:
    """Without NaN and infinities: a division by nothing is no value."""
    return f"(({value}) > -Inf) < +Inf"


def _value(name: str, text: str) -> Part:
    return Part(name, text, counts=False)
