"""Which series are a service's events: all its versions', and nobody else's."""

from datetime import timedelta
from decimal import Decimal

from components.manifests.slievents import Whole
from components.manifests.slirates import Buckets, Counters, NativeHistograms
from plugin.indicators.presets import PRESETS
from plugin.slo import Objective, Ratio

CHECKOUT = Whole("checkout", "shop")
AVAILABILITY = Objective("availability", Decimal("0.999"))
LATENCY = Objective("latency", Decimal("0.95"), timedelta(milliseconds=250))

ISTIO = (
    'reporter="source",destination_service_namespace="shop",'
    'destination_service_name=~"checkout|checkout-primary|checkout-canary"'
)
APPLICATION = 'namespace="shop",app=~"checkout|checkout-primary"'


def test_istio_is_read_by_service_so_that_an_outage_counts() -> None:
    """A request that found no pod names its Service, but no workload and no version."""
    assert CHECKOUT.events(AVAILABILITY, PRESETS["istio"]) == Counters(
        every=(f"istio_requests_total{{{ISTIO}}}",),
        part=(
            f'istio_requests_total{{{ISTIO},response_code=~"5.*"}}',
            f'istio_requests_total{{{ISTIO},response_code!~"5.*",'
            'grpc_response_status=~"2|4|12|13|14|15"}',
        ),
    )


def test_latency_is_the_share_within_the_bucket() -> None:
    bucket = "istio_request_duration_milliseconds_bucket"
    assert CHECKOUT.events(LATENCY, PRESETS["istio"]) == Buckets(
        every=(f'{bucket}{{{ISTIO},le="+Inf"}}',),
        within=(f'{bucket}{{{ISTIO},le=~"250([.]0)?"}}',),
    )


def test_the_bucket_is_in_the_histograms_own_unit() -> None:
    own = f'{APPLICATION},uri!~"/actuator.*"'
    bucket = "http_server_requests_seconds_bucket"
    assert CHECKOUT.events(LATENCY, PRESETS["spring"]) == Buckets(
        every=(f'{bucket}{{{own},le="+Inf"}}',), within=(f'{bucket}{{{own},le=~"0[.]25"}}',)
    )


def test_a_native_histogram_has_no_buckets_to_select() -> None:
    assert CHECKOUT.events(LATENCY, PRESETS["prom-client"], native=True) == NativeHistograms(
        (f"http_request_duration_seconds{{{APPLICATION}}}",), Decimal("0.25")
    )


def test_the_first_status_label_that_is_there_decides() -> None:
    assert CHECKOUT.events(AVAILABILITY, PRESETS["prom-client"]) == Counters(
        every=(f"http_requests_total{{{APPLICATION}}}",),
        part=(
            f'http_requests_total{{{APPLICATION},status_code=~"5.*"}}',
            f'http_requests_total{{{APPLICATION},status_code="",code=~"5.*"}}',
            f'http_requests_total{{{APPLICATION},status_code="",code="",status=~"5.*"}}',
        ),
    )


def test_nginx_is_read_under_both_names_of_its_namespace() -> None:
    events = CHECKOUT.events(AVAILABILITY, PRESETS["nginx"])
    assert isinstance(events, Counters)
    assert events.every == (
        'nginx_ingress_controller_requests{namespace="shop",exported_namespace="",'
        'ingress="checkout"}',
        'nginx_ingress_controller_requests{exported_namespace="shop",ingress="checkout"}',
    )


def test_a_ratio_of_the_teams_own_is_narrowed_to_the_service() -> None:
    """`orders_total` alone would count every service that takes orders."""
    bad = Ratio(bad='sum(rate(orders_total{ok="0"}[5m]))', total="orders_total", target=Decimal(99))
    objective = Objective("orders", Decimal("0.99"), ratio=bad)
    assert CHECKOUT.events(objective, PRESETS["istio"]) == Counters(
        every=(f"orders_total{{{APPLICATION}}}",),
        part=(f'orders_total{{{APPLICATION},ok="0"}}',),
    )


def test_good_events_are_said_to_be_good() -> None:
    good = Ratio(good='orders_total{ok="1"}', total="orders_total", target=Decimal(99))
    objective = Objective("orders", Decimal("0.99"), ratio=good)
    events = CHECKOUT.events(objective, PRESETS["istio"])
    assert isinstance(events, Counters)
    assert events.part_is_good
