"""Where a service's requests are counted: every preset that can work, and why another cannot."""

from collections.abc import Callable
from typing import Any

import pytest

from components.spec.errors import SpecError
from components.spec.service import ServiceSpec, resolve
from components.spec.site import Site

MakeSpec = Callable[..., ServiceSpec]

LATENCY = {"latency": {"percentile": 95, "threshold": "300ms"}}
NGINX = (
    "nginx cannot tell the canary from stable: Istio splits the traffic behind it; write istio, "
    "spring or prom-client"
)


def error(make: MakeSpec, slo: dict[str, Any]) -> str:
    with pytest.raises(SpecError) as caught:
        make(slo=slo)
    return str(caught.value)


def test_an_unknown_one_is_answered_with_those_that_are_known(make_spec: MakeSpec) -> None:
    assert error(make_spec, {"availability": 99, "metrics": "sprign"}) == (
        "checkout.slo.metrics: input should be 'istio', 'spring', 'prom-client' or 'nginx', not "
        "'sprign'; it is where requests are counted: by the callers' proxies (istio) or by the "
        "application itself (spring, prom-client); without a canary also by ingress-nginx (nginx)"
    )
    assert error(make_spec, {"availability": 99, "histograms": "exponential"}) == (
        "checkout.slo.histograms: input should be 'classic' or 'native', not 'exponential'; it is "
        "how Prometheus keeps the latency histogram: as a series per bucket (classic) or as one "
        "series (native)"
    )


def test_only_istios_buckets_are_known_beforehand(make_spec: MakeSpec) -> None:
    """An application has the buckets that it was given; a native histogram has any."""
    assert error(make_spec, LATENCY) == (
        "checkout.slo.latency.threshold: 300ms is no bucket of Istio's latency histogram; the "
        "nearest: 250ms or 500ms"
    )
    for elsewhere in ({"metrics": "prom-client"}, {"histograms": "native"}):
        assert make_spec(slo=LATENCY | elsewhere).slo is not None


def test_nginx_sees_no_canary_that_istio_splits_off_behind_it(make_spec: MakeSpec) -> None:
    """Each of its stages would wait for requests to the canary until a person came."""
    slo = {"availability": 99, "metrics": "nginx"}
    assert error(make_spec, slo) == f"checkout.slo.metrics: {NGINX}"
    assert make_spec(slo=slo, strategy="rolling").slo is not None


def test_a_stack_that_chooses_wrongly_is_named(site: Site) -> None:
    args = {"image": "shop/checkout:1.8.0", "slo": {"availability": 99, "metrics": "spring"}}
    overlay = {"slo": {"metrics": "nginx"}}
    with pytest.raises(SpecError) as caught:
        resolve("checkout", args, site, overlay, "Pulumi.local.yaml, sluice:services")
    assert str(caught.value) == (
        f"checkout.slo.metrics (in Pulumi.local.yaml, sluice:services): {NGINX}"
    )


def test_a_label_of_the_arms_is_refused_whatever_is_counted_where(make_spec: MakeSpec) -> None:
    ratio = {"bad": 'orders_total{app="checkout"}', "total": "orders_total", "target": 99}
    assert error(make_spec, {"ratios": {"orders": ratio}, "metrics": "spring"}) == (
        "checkout.slo.ratios.orders.bad: orders_total is already selected by app, which tells the "
        "arms apart; remove it"
    )
