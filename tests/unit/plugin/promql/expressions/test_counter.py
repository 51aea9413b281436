"""Users' counters: what is counted, and a refusal that says what to write for everything else."""

import pytest

from plugin.promql.expressions import ExpressionError, read_counter


@pytest.mark.parametrize(
    "text",
    [
        'payments_total{outcome="failed"}',
        '(payments_total{outcome="failed"})',
        'sum(rate(payments_total{outcome="failed"}[5m]))',
        'sum by (region) (increase(payments_total{outcome="failed"}[1h]))',
        'sum(rate(payments_total{outcome="failed"}[1m])) or vector(0)',
    ],
)
def test_however_a_counter_is_written_its_increments_are_meant(text: str) -> None:
    assert str(read_counter(text)) == 'payments_total{outcome="failed"}'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sum(", "is no PromQL"),
        ("1", "not the count of one kind"),
        ("a + b", "not the count of one kind"),
        ("a / b", "put its two halves into bad and total"),
        ("max(rate(a[5m]))", "not the count of one kind"),
        ("rate(a[5m]) * 60", "not the count of one kind"),
        ("sum(rate(a[5m])) or vector(1)", "not the count of one kind"),
        ("a[5m]", "has a range but no rate"),
        ("job:errors:rate5m", "is recorded as a rate"),
        ("sum(rate(job:errors:ratio_rate5m[5m]))", "is recorded as a rate"),
        ("rate(a[5m:1m])", "subquery"),
        ("sum(rate(a[5m] offset 1h))", "remove offset and @"),
        ("a @ end()", "remove offset and @"),
        ('{job="a"}', "names no metric"),
        ('{__name__=~"a.*"}', "names no metric"),
        ('a{b="1" or c="2"}', 'has "or" between labels'),
        ("kube_pod_info", "knows pods and not versions"),
        ("container_cpu_usage_seconds_total", "use saturation"),
        ('a{b="{{args.version}}"}', "Argo Rollouts would replace"),
        ('a{"b\\"}) or secret or (a{b"="1"}', "digits and _"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(ExpressionError, match=problem.replace("(", r"\(")):
        read_counter(text)
