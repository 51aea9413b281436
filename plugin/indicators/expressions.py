"""Can the arms be put into a team's own PromQL? Whoever fixes a label of theirs, is told."""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from plugin.indicators.schemes import APPLICATION, Scheme, scheme_of
from plugin.promql.expressions.counter import read_counter
from plugin.promql.expressions.parsing import conflict
from plugin.promql.expressions.value import read_value
from plugin.slo import SLO

Path = tuple[str, ...]


def check_expressions(slo: SLO, application: Scheme = APPLICATION, within: Path = ()) -> None:
    """Raise a ValidationError for each of a team's expressions that fixes a label of the arms, and
    for each ratio of counters that are not scraped together.

    `within` leads to the SLO; a validator of pydantic's puts its own path before it.
    """
    problems = [
        InitErrorDetails(type=_taken(label, metric), loc=(*within, *where), input=text)
        for where, text, used in _expressions(slo)
        for metric, matchers in used
        if (label := conflict(matchers, scheme_of(metric, application).labels))
    ]
    problems += [
        InitErrorDetails(type=_foreign(part, total), loc=(*within, *where), input=part)
        for where, part, total in _parts(slo)
        if scheme_of(part, application) != scheme_of(total, application)
    ]
    if problems:
        raise ValidationError.from_exception_data("SLO", problems)


def _expressions(slo: SLO) -> Iterator[tuple[Path, str, Iterable[tuple[str, Any]]]]:
    """Where each expression is written, and the metrics with the conditions that it reads."""
    for name, ratio in slo.ratios.items():
        for key, text in (("bad", ratio.bad), ("good", ratio.good), ("total", ratio.total)):
            if text is not None:
                counter = read_counter(text)
                yield ("ratios", name, key), text, [(counter.metric, counter.matchers)]
    for name, limit in slo.limits.items():
        yield ("limits", name, "value"), limit.value, read_value(limit.value).used


def _parts(slo: SLO) -> Iterator[tuple[Path, str, str]]:
    """Where the good or bad events of a ratio are written, their metric, and that of all events."""
    for name, ratio in slo.ratios.items():
        key, text = ("bad", ratio.bad) if ratio.bad is not None else ("good", ratio.good or "")
        yield ("ratios", name, key), read_counter(text).metric, read_counter(ratio.total).metric


def _foreign(part: str, total: str) -> PydanticCustomError:
    return PydanticCustomError(
        "promql",
        "{part} and {total} are scraped from different places at different times, so one is no "
        "part of the other; name two counters that are scraped together",
        {"part": part, "total": total},
    )


def _taken(label: str, metric: str) -> PydanticCustomError:
    return PydanticCustomError(
        "promql",
        "{metric} is already selected by {label}, which tells the arms apart; remove it",
        {"metric": metric, "label": label},
    )
