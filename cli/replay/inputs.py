"""What is written on the command line, checked: every error names the option and the fix. Pure."""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from cli.replay.errors import InputError
from cli.replay.plan import Plan, Stage
from components.spec.stages import check_rise
from plugin.policy import Policy
from plugin.problem import first_problem
from plugin.question import Question
from plugin.slo.units import parse_duration

_DEFAULT_EXTRAS = (1.0, 3.0, 10.0)
"""Injected regressions where none are named, in error budgets."""
_DEFAULT_STAGES = "10:30m,30:30m,60:60m"
_LARGEST_DEFAULT = 0.5
_SINCE = (timedelta(hours=2), timedelta(days=90))
_STAGE = re.compile(r"(\d{1,4})%?:(\S+)", re.ASCII)
_VERSION = "replayed"


@dataclass(frozen=True)
class Request:
    """What to replay: `since` in seconds, `extras` as fractions of the requests by objective."""

    plan: Plan
    since: int
    extras: dict[str, Sequence[float]]


def question_of(
    service: str, namespace: str, slo: str, metrics: str, policy: Sequence[str]
) -> Question:
    """The question that a controller would ask about any release of this service."""
    for option, value in (("--service", service), ("--namespace", namespace), ("--slo", slo)):
        if not value:
            raise InputError(option, "is missing: name it, or give a --question file")
    written = {
        "service": service,
        "namespace": namespace,
        "slo": parse_slo(slo),
        "metrics": metrics,
        "arms": {
            "canary": {"workload": service, "version": _VERSION},
            "stable": {"workload": service, "not_version": _VERSION},
        },
    }
    return _validated(written, policy, written.keys() | {"policy"})


def question_in(text: str, policy: Sequence[str]) -> Question:
    """The question in a file: the JSON that the controllers send."""
    try:
        written = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError("--question", f"is no JSON: {error}") from None
    if not isinstance(written, dict):
        raise InputError("--question", "holds the JSON object that a controller sends to the judge")
    return _validated(written, policy, {"policy"} if policy else ())


def parse_slo(text: str) -> dict[str, Any]:
    """`availability=99.9,latency=95@250ms` as the JSON of a question; several latencies may be."""
    slo: dict[str, Any] = {}
    latencies = []
    for part in text.split(","):
        name, given, value = (one.strip() for one in part.partition("="))
        if name == "latency" and "@" in value:
            percentile, _, threshold = value.partition("@")
            latencies.append({"percentile": percentile, "threshold": threshold})
        elif name in {"availability", "window"} and given:
            slo[name] = value
        else:
            known = "availability=99.9, latency=95@250ms, window=30d"
            raise InputError("--slo", f"{part.strip()!r} is none of {known}")
    return slo | ({"latency": latencies} if latencies else {})


def stages_of(text: str | None, question: Question) -> tuple[Stage, ...]:
    """As written, or else those of the question, or else those of a stack."""
    if text is not None:
        return parse_stages(text)
    known = [(one.weight, one.time) for one in question.stages]
    return tuple(
        Stage(weight, round(time.total_seconds())) for weight, time in known if weight and time
    ) or parse_stages(_DEFAULT_STAGES)


def parse_stages(text: str) -> tuple[Stage, ...]:
    """`10:5m,30:10m`: weight in percent and the most time of each stage."""
    stages: list[Stage] = []
    for part in text.split(","):
        match = _STAGE.fullmatch(part.strip())
        if not match:
            raise InputError(
                "--stages", f"{part.strip()!r} is no stage: write WEIGHT:TIME, as 10:5m"
            )
        weight, seconds = int(match[1]), round(duration("--stages", match[2]).total_seconds())
        if not 1 <= weight <= 99:
            raise InputError("--stages", f"the weight {weight} is not between 1 and 99")
        if not 10 <= seconds <= 6 * 3600:
            raise InputError("--stages", f"the time {match[2]} is not between 10s and 6h")
        stages.append(Stage(weight, seconds))
    try:
        check_rise([stage.weight for stage in stages])
    except ValueError as error:
        raise InputError("--stages", str(error)) from None
    return tuple(stages)


def parse_since(text: str) -> int:
    """Seconds of history."""
    since = duration("--since", text)
    if not _SINCE[0] <= since <= _SINCE[1]:
        raise InputError("--since", f"{text} is not between 2h and 90d")
    return round(since.total_seconds())


def parse_interval(option: str, text: str, most: int) -> int:
    """Whole seconds between 1 and `most`."""
    seconds = duration(option, text).total_seconds()
    if seconds != round(seconds) or not 1 <= seconds <= most:
        raise InputError(option, f"{text} is not a whole number of seconds up to {most}s")
    return round(seconds)


def parse_extras(text: str | None, plan: Plan) -> dict[str, Sequence[float]]:
    """`0.2,0.9` percentage points of extra failures, for each objective in turn."""
    if text is None:
        return {one.name: _default_extras(float(one.budget)) for one in plan.objectives}
    sizes = []
    for part in text.split(","):
        try:
            percent = float(part.strip().removesuffix("%"))
        except ValueError:
            percent = 0.0
        if not 0 < percent <= 100:
            raise InputError("--inject", f"{part.strip()!r} is no percentage above 0, such as 0.9")
        sizes.append(percent / 100)
    return {one.name: tuple(sizes) for one in plan.objectives}


def _default_extras(budget: float) -> Sequence[float]:
    return tuple(sorted({min(_LARGEST_DEFAULT, times * budget) for times in _DEFAULT_EXTRAS}))


def duration(option: str, text: str) -> timedelta:
    try:
        return parse_duration(text)
    except PydanticCustomError as error:
        raise InputError(option, f"{text!r}: {error.message()}") from None


def _validated(
    written: dict[str, Any], policy: Sequence[str], options: Collection[str]
) -> Question:
    """`options` are the parts that were written as options, and not in a file."""
    changes = _policy(policy)
    if changes:
        given = written.get("policy", {})
        written = written | {"policy": {**(given if isinstance(given, dict) else {}), **changes}}
    try:
        return Question.model_validate(written)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        field, message = first_problem(problems)
        part, _, rest = field.partition(".")
        if part == "policy" and problems[0]["type"] == "extra_forbidden":
            message += f"; known are {', '.join(Policy.model_fields)}"
        option, where = (f"--{part}", rest) if part in options else ("--question", field)
        raise InputError(option, f"{where}: {message}" if where else message) from None


def _policy(pairs: Sequence[str]) -> dict[str, Any]:
    """`key=value` pairs, several in one option if need be."""
    changes = {}
    for pair in (one.strip() for text in pairs for one in text.split(",")):
        key, given, value = pair.partition("=")
        if not given or not value:
            raise InputError("--policy", f"{pair!r} is no KEY=VALUE, such as burst=3")
        if key.strip() == "windows":
            raise InputError(
                "--policy",
                'windows: write the list into a --question file, such as "policy": {"windows": '
                '[{"days": ["mon"], "hours": "09:00-16:30"}]}',
            )
        changes[key.strip()] = value.strip()
    return changes
