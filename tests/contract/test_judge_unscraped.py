"""Nothing passes, and no deadline decides, while pods that count cannot be scraped: what they do
nobody sees. A real Prometheus, with the targets' `up`.
"""

import numpy as np
import pytest

from plugin.judge import Judgement
from plugin.verdict import Reason, Verdict
from tests.contract.support.good import serve
from tests.contract.support.history import INTERVALS, Array, History, always, counter
from tests.contract.support.series import application, istio

PAID = {"paid": {"bad": "pay_bad_total", "total": "pay_total", "target": 99}}


def scraped(until: int, again: int = INTERVALS) -> Array:
    """`up` of a target that could be scraped so far, and then again."""
    up = always(1)
    up[until:again] = 0
    return up


def pod(past: History, version: str, name: str, up: Array, **counts: Array) -> None:
    """A pod's counters, which are marked stale while it cannot be scraped, and its `up`."""
    target = application(past.namespace, version, job="shop", instance=f"{version}-{name}")
    past.add("up", up, **target)
    for metric, values in counts.items():
        status = {"code": "200"} if metric == "http_requests_total" else {}
        past.add(metric, np.where(up == 1, values, np.nan), **target, **status)


def payments(past: History, version: str, count: float, up: Array) -> None:
    pod(past, version, "a", up, pay_total=counter(always(count)), pay_bad_total=always(0))


def requests(past: History, version: str, count: float, ups: list[Array]) -> None:
    for number, up in enumerate(ups):
        pod(past, version, str(number), up, http_requests_total=counter(always(count)))


def of_requests(past: History) -> Judgement:
    return past.judgement(past.question({"availability": 99}, metrics="prom-client"))


@pytest.mark.parametrize(
    ("canary", "stable", "whose"),
    [
        (70, 100, "1 target of the canary's"),
        (100, 70, "1 target of stable's"),
        (70, 70, "1 target of the canary's and 1 target of stable's"),
    ],
)
@pytest.mark.parametrize("at_the_end", ["promote", "abort", "hold"])
def test_a_ratio_passes_on_no_counts_of_before_its_targets_were_lost(
    past: History, canary: int, stable: int, whose: str, at_the_end: str
) -> None:
    """The requests go on, which the callers' proxies count: they are no sign of life of a ratio."""
    past.namespace += f"-{canary}-{stable}-{at_the_end}"
    serve(past)
    payments(past, "1.1", 50, scraped(canary))
    payments(past, "1.0", 450, scraped(stable))
    judgement = past.judgement(
        past.question(
            {"availability": 50, "ratios": PAID},
            stage={"weight": 10, "time": "20m"},
            policy={"lookback": "1500s", "on_undecided": at_the_end},
        )
    )
    assert judgement.reason is Reason.NO_DATA
    assert judgement.why == (
        f"{whose} that paid is counted on cannot be scraped (up is 0): held until they can be"
    )


def test_a_ratio_without_events_for_long_is_held_by_nothing(past: History) -> None:
    """Events may be rare; what matters is that they would be seen."""
    serve(past)
    for version, count in (("1.1", 50), ("1.0", 450)):
        few = always(count)
        few[70:] = 0
        pod(
            past,
            version,
            "a",
            always(1),
            pay_total=counter(few),
            pay_bad_total=always(0),
        )
    judgement = past.judgement(past.question({"availability": 50, "ratios": PAID}))
    assert judgement.reason is Reason.NON_INFERIOR


def test_a_canary_one_of_whose_pods_cannot_be_scraped_passes_nothing(past: History) -> None:
    """What hangs counts nothing, and the pods beside it may well be good."""
    requests(past, "1.1", 50, [always(1), scraped(50)])
    requests(past, "1.0", 450, [always(1)] * 2)
    judgement = of_requests(past)
    assert judgement.reason is Reason.NO_DATA
    assert judgement.why == (
        "1 target of the canary's that availability is counted on cannot be scraped (up is 0): "
        "held until they can be"
    )


def test_a_proven_failure_is_one_whatever_cannot_be_scraped(past: History) -> None:
    requests(past, "1.1", 50, [always(1), scraped(50)])
    requests(past, "1.0", 450, [always(1)] * 2)
    failing = application(past.namespace, "1.1", job="shop", instance="1.1-0", code="500")
    past.add("http_requests_total", counter(always(10)), **failing)
    assert of_requests(past).reason.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    "up",
    [
        pytest.param(scraped(40, again=44), id="it is back"),
        pytest.param(np.where(np.arange(INTERVALS) < 60, scraped(58), np.nan), id="it has gone"),
    ],
)
def test_pods_that_are_back_or_gone_hold_nothing(past: History, up: Array) -> None:
    """A pod that ends answers no scrape for a moment, and then is no target any more."""
    past.namespace += f"-{int(np.isnan(up).any())}"
    requests(past, "1.1", 50, [always(1), up])
    requests(past, "1.0", 450, [always(1)] * 2)
    assert of_requests(past).reason is Reason.NON_INFERIOR


def test_another_service_whose_targets_are_down_holds_nothing(past: History) -> None:
    requests(past, "1.1", 50, [always(1)])
    requests(past, "1.0", 450, [always(1)])
    past.add("up", always(0), namespace=past.namespace, app="cart", job="shop", instance="cart")
    assert of_requests(past).reason is Reason.NON_INFERIOR


@pytest.mark.parametrize(("lost", "reason"), [(1, Reason.NON_INFERIOR), (2, Reason.NO_DATA)])
def test_one_of_many_stable_pods_holds_no_release(past: History, lost: int, reason: Reason) -> None:
    """There is always one, and the others tell how stable fares."""
    past.namespace += f"-{lost}"
    requests(past, "1.1", 50, [always(1)])
    requests(past, "1.0", 50, [scraped(50 if number < lost else INTERVALS) for number in range(12)])
    assert of_requests(past).reason is reason


def test_so_it_is_where_each_pods_own_proxy_counts(past: History) -> None:
    """Istio's reporter may be the destination, which is scraped like the pod."""
    for version, count, up in (("1.1", 100, scraped(50)), ("1.0", 900, always(1))):
        for name, reached in (("a", always(1)), ("b", up)):
            target = {"job": "envoy", "instance": f"{version}-{name}"}
            names = istio(past.namespace, version, reporter="destination", response_code="200")
            past.add("up", reached, namespace=past.namespace, **target)
            served = np.where(reached == 1, counter(always(count)), np.nan)
            past.add("istio_requests_total", served, **names, **target)
    judgement = past.judgement(past.question({"availability": 99}), reporter="destination")
    assert judgement.reason is Reason.NO_DATA
