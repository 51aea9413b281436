"""One SLO object → its objectives, each a target over a window and the counters it is about."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from components.openslo.documents import Document
from components.openslo.findings import Place
from components.openslo.library import Library
from components.openslo.model import IndicatorSpec, Objective, SLOObject, SLOSpec, TimeWindow
from components.openslo.numbers import percent, window
from components.openslo.sli import counters

_USUAL = (TimeWindow(duration="30d", is_rolling=True),)


@dataclass(frozen=True)
class Promise:
    """At least `target` percent of what `counters` ({total, good or bad}) count are good.

    `origin` is the file and the object that says so.
    """

    origin: str
    name: str
    counters: Mapping[str, str]
    target: Decimal
    window: timedelta


def promises(document: Document, library: Library) -> Iterator[Promise]:
    """The objectives of one SLO object. Raises OpenSLOError."""
    place = library.place(document)
    if document.name is None:
        raise place.at("metadata.name").refused("is missing")
    spec, place = library.parsed(document, SLOObject).spec, place.at("spec")
    if not spec.objectives:
        raise place.at("objectives").refused("is missing; give at least one, with a target")
    _counts_occurrences(spec, place)
    if spec.alert_policies:
        place.at("alertPolicies").warn("is passed over: Sluice makes its own burn-rate alerts")
    for at, objective in enumerate(spec.objectives):
        promise = place.at("objectives", at)
        indicator, where = _indicator(spec, objective, place, promise, library)
        yield Promise(
            origin=document.origin,
            name=document.name if len(spec.objectives) == 1 else f"{document.name}-{at + 1}",
            counters=counters(indicator, objective, where, promise, library.sources),
            target=percent(objective, promise),
            window=_window(spec, objective, place, promise),
        )


def _counts_occurrences(spec: SLOSpec, place: Place) -> None:
    """Time slices are no counts of requests: a verdict could not be drawn from them."""
    method, place = spec.budgeting_method, place.at("budgetingMethod")
    sliced = any(
        each.time_slice_target is not None or each.time_slice_window is not None
        for each in spec.objectives
    )
    if method is None and not sliced:
        place.warn("is missing; taken for Occurrences")
    elif method is None or method.lower() != "occurrences":
        raise place.refused(
            f"{method or 'time slices'} cannot be judged, for the share of good minutes says "
            "nothing about the requests of a release; write Occurrences, and no timeSliceTarget"
        )
    elif sliced:
        place.warn("is Occurrences, so timeSliceTarget and timeSliceWindow are passed over")


def _indicator(
    spec: SLOSpec, objective: Objective, place: Place, promise: Place, library: Library
) -> tuple[IndicatorSpec, Place]:
    """The one indicator of an objective: the SLO's, or its own."""
    inline = [
        (each.spec, where.at("indicator", "spec"))
        for each, where in ((spec.indicator, place), (objective.indicator, promise))
        if each is not None
    ]
    named = [
        (name, where.at("indicatorRef"))
        for name, where in ((spec.indicator_ref, place), (objective.indicator_ref, promise))
        if name is not None
    ]
    if len(inline) + len(named) != 1:
        raise place.refused("give exactly one of indicator and indicatorRef")
    own = objective.indicator is not None or objective.indicator_ref is not None
    if own and len(spec.objectives) > 1:
        raise place.at("objectives").refused(
            "indicators of their own make this a composite SLO, which cannot be judged; write one "
            "SLO object for each"
        )
    return inline[0] if inline else library.indicator(*named[0])


def _window(spec: SLOSpec, objective: Objective, place: Place, promise: Place) -> timedelta:
    if spec.time_window:
        return window(spec.time_window, place.at("timeWindow"))
    if objective.time_window:
        promise.at("timeWindow").warn("belongs to spec; taken for the SLO's")
        return window(objective.time_window, promise.at("timeWindow"))
    place.at("timeWindow").warn("is missing; taken for 30d")
    return window(_USUAL, place.at("timeWindow"))
