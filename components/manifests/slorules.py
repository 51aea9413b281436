"""A service's objectives as Prometheus rules: error ratios, error budgets and burn-rate alerts.

Records, labels and groups have the names that Sloth gives them (sloth.dev), so that dashboards made
for it show these as well. The rules see the service as a whole, whichever versions it runs: an
alert is about what callers get, and a release must not begin a new budget.

`rate()` is right here and wrong in the judge. It never counts the first sample of a series; of a
service's requests in an hour that is nothing, of a new version's first errors it can be all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from components import conventions
from components.manifests.burnrates import SHORTEST, Burn, Severity, burns
from components.manifests.manifest import Body, Manifest, body, metadata
from components.manifests.slievents import Whole
from components.manifests.slirates import Events
from components.spec.service import ServiceSpec
from plugin.indicators.presets import PRESETS
from plugin.promql.matchers import Matcher, selector
from plugin.slo import SLO, Objective
from plugin.slo.units import format_duration

API_VERSION = "monitoring.coreos.com/v1"
ALERT = "ErrorBudgetBurn"

_RAW = timedelta(days=3)
"""A longer window is summed up from records: Prometheus would read its every sample each time."""

_ROUTING = {Severity.PAGE: "critical", Severity.TICKET: "warning"}
"""The label `severity`, by which Alertmanager routes usually tell who is woken."""


@dataclass(frozen=True)
class Subject:
    """One objective of one service, and everything its rules are written from."""

    whole: Whole
    slo: SLO
    objective: Objective
    events: Events

    @property
    def id(self) -> str:
        return f"{self.whole.name}-{self.objective.name}"

    @property
    def labels(self) -> dict[str, str]:
        return {
            "sloth_id": self.id,
            "sloth_service": self.whole.name,
            "sloth_slo": self.objective.name,
            "namespace": self.whole.namespace,
        }

    @property
    def burns(self) -> list[Burn]:
        return burns(self.slo, self.objective.budget)


def objects(spec: ServiceSpec) -> list[Manifest]:
    """The rules of a service's objectives; nothing for a service that promises nothing, or where
    the cluster does not know the kind.
    """
    if spec.slo is None or not spec.site.rules:
        return []
    whole = Whole(spec.name, spec.namespace, spec.site.istio_reporter)
    preset = PRESETS[spec.slo.metrics]
    native = spec.slo.histograms == "native"
    subjects = [
        Subject(whole, spec.slo, objective, whole.events(objective, preset, native))
        for objective in spec.slo.objectives
    ]
    return [prometheus_rule(whole, subjects)]


def prometheus_rule(whole: Whole, subjects: list[Subject]) -> Manifest:
    """Three groups of rules per objective: error ratios, what follows from them, and alerts."""
    groups = [group for subject in subjects for group in _groups(subject)]
    meta = metadata(whole.name, whole.namespace, whole.name)
    return Manifest(body(API_VERSION, "PrometheusRule", meta, spec={"groups": groups}))


def _groups(subject: Subject) -> Iterator[Body]:
    parts = {
        "sli-recordings": list(_sli(subject)),
        "meta-recordings": list(_meta(subject)),
        "alerts": list(_alerts(subject)),
    }
    for part, rules in parts.items():
        if rules:
            yield {"name": f"sloth-slo-{part}-{subject.id}", "rules": rules}


def _sli(subject: Subject) -> Iterator[Body]:
    """Bad of all events, over each window. No record where there were no events: 0/0 would stay
    in every longer window as "not a number".
    """
    yield _record("slo:sli_bad:rate5m", subject.events.bad(SHORTEST), subject.labels)
    yield _record("slo:sli_total:rate5m", subject.events.total(SHORTEST), subject.labels)
    windows = {SHORTEST, subject.slo.window}
    windows |= {window for burn in subject.burns for window in (burn.short, burn.long)}
    for window in sorted(windows):
        labels = subject.labels | {"sloth_window": format_duration(window)}
        yield _record(_ratio_name(window), _ratio(subject, window), labels)


def _ratio(subject: Subject, window: timedelta) -> str:
    if window <= _RAW:
        bad, total = subject.events.bad(window), subject.events.total(window)
    else:
        # Each minute with the weight of its traffic, which a mean of ratios would lose.
        over = f"[{format_duration(window)}]"
        bad = f"sum_over_time({_selector('slo:sli_bad:rate5m', subject)}{over})"
        total = f"sum_over_time({_selector('slo:sli_total:rate5m', subject)}{over})"
    return f"{bad} / ({total} > 0)"


def _meta(subject: Subject) -> Iterator[Body]:
    objective, labels = subject.objective, subject.labels
    days = Decimal(subject.slo.window / timedelta(days=1))
    now = _selector(_ratio_name(SHORTEST), subject)
    period = _selector(_ratio_name(subject.slo.window), subject)
    budget = _selector("slo:error_budget:ratio", subject)
    per_budget = f"/ on (sloth_id, sloth_slo, sloth_service) group_left () {budget}"
    remaining = f"1 - {_selector('slo:period_burn_rate:ratio', subject)}"
    yield _record("slo:objective:ratio", f"vector({objective.target:f})", labels)
    yield _record("slo:error_budget:ratio", f"vector({objective.budget:f})", labels)
    yield _record("slo:time_period:days", f"vector({days:f})", labels)
    yield _record("slo:current_burn_rate:ratio", f"{now} {per_budget}", labels)
    yield _record("slo:period_burn_rate:ratio", f"{period} {per_budget}", labels)
    yield _record("slo:period_error_budget_remaining:ratio", remaining, labels)
    info = {"sloth_objective": _percent(objective.target), "sloth_mode": conventions.PROJECT}
    yield _record("sloth_slo_info", "vector(1)", labels | info)


def _alerts(subject: Subject) -> Iterator[Body]:
    """One alert per severity. Long and short window must agree: the long one that it matters, the
    short one that it still goes on.
    """
    for severity in Severity:
        conditions = [burn for burn in subject.burns if burn.severity is severity]
        if conditions:
            yield {
                "alert": ALERT,
                "expr": " or ".join(_condition(subject, burn) for burn in conditions),
                "labels": {"sloth_severity": severity.value, "severity": _ROUTING[severity]},
                "annotations": _annotations(subject, conditions),
            }


def _condition(subject: Subject, burn: Burn) -> str:
    bound = f"({burn.rate:f} * {subject.objective.budget:f})"
    short, long = (
        f"max without (sloth_window) ({_selector(_ratio_name(window), subject)} > {bound})"
        for window in (burn.short, burn.long)
    )
    return f"({short} and {long})"


def _annotations(subject: Subject, conditions: list[Burn]) -> dict[str, str]:
    objective, window = subject.objective, format_duration(subject.slo.window)
    events = "requests" if objective.ratio is None else "events"
    rates = " or ".join(f"{burn.rate:.3g} over {format_duration(burn.long)}" for burn in conditions)
    return {
        "summary": f"{subject.whole.name} spends its error budget for {objective.name} too fast",
        "description": (
            f"{{{{ $value | humanizePercentage }}}} of the {events} are bad; over {window} "
            f"{_percent(objective.budget)} % may be. Fires at a burn rate of {rates}."
        ),
    }


def _record(name: str, expr: str, labels: dict[str, str]) -> Body:
    return {"record": name, "expr": expr, "labels": labels}


def _ratio_name(window: timedelta) -> str:
    return f"slo:sli_error:ratio_rate{format_duration(window)}"


def _selector(record: str, subject: Subject) -> str:
    return selector(record, (Matcher(label, "=", value) for label, value in subject.labels.items()))


def _percent(ratio: Decimal) -> str:
    return f"{(ratio * 100).normalize():f}"
