"""What a team writes in an SLO: one model per kind of promise."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from plugin.hint import Hint
from plugin.promql.expressions import ExpressionError, read_counter, read_value
from plugin.slo.units import Duration, Fullness, Number, Percentage

AVAILABILITY, LATENCY, CPU, MEMORY = "availability", "latency", "cpu_throttled", "memory"
"""The names of what is built in."""


class Model(BaseModel):
    """What users write: immutable, and a key that is not known is an error that names it."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


def _is_counter(text: str) -> str:
    return _read(read_counter, text)


def _is_value(text: str) -> str:
    return _read(read_value, text)


def _read(reader: Callable[[str], object], text: str) -> str:
    try:
        reader(text)
    except ExpressionError as error:
        raise PydanticCustomError("promql", "{problem}", {"problem": str(error)}) from None
    return text


_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
CounterText = Annotated[_Text, AfterValidator(_is_counter)]
ValueText = Annotated[_Text, AfterValidator(_is_value)]


def is_request(name: str) -> bool:
    """Whether an objective of this name counts requests, and not events of a team's own."""
    return name.split("_", maxsplit=1)[0] in {AVAILABILITY, LATENCY}


def _is_free(name: str) -> str:
    if is_request(name) or name in {CPU, MEMORY}:
        raise PydanticCustomError(
            "taken", "'{name}' is the name of a built-in one: choose another", {"name": name}
        )
    return name


SignalName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$"),
    Hint("write a name of 1 to 40 of a-z, 0-9 and _, beginning with a letter"),
    AfterValidator(_is_free),
]
"""How a team calls a ratio or a limit of its own."""


class Latency(Model):
    """At least `percentile` % of the requests are answered within `threshold`."""

    percentile: Percentage
    threshold: Duration

    @field_validator("threshold")
    @classmethod
    def _takes_time(cls, threshold: timedelta) -> timedelta:
        if threshold <= timedelta(0):
            raise PydanticCustomError("threshold", "the threshold is above 0, such as 250ms")
        return threshold


class Ratio(Model):
    """At least `target` % of the events counted by `total` are good.

    `total` and one of `bad` and `good` are PromQL: a counter with its labels, or sum(rate(…)) of
    one. The judge puts the arms' labels in and takes the counter's own increments.
    """

    bad: CounterText | None = None
    good: CounterText | None = None
    total: CounterText
    target: Percentage

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.bad is None) == (self.good is None):
            raise PydanticCustomError("ratio", "set one of bad and good")
        if read_counter(self.bad or self.good or "") == read_counter(self.total):
            raise PydanticCustomError(
                "ratio",
                "all events cannot be {part}: give {part} the label that tells them",
                {"part": "good" if self.bad is None else "bad"},
            )
        return self


class Limit(Model):
    """A PromQL `value` that fails a release when it is beyond the bound for that long.

    The largest value of the arm is compared with `most`, the smallest with `least`.
    """

    value: ValueText
    most: Number | None = None
    least: Number | None = None
    for_: Duration = Field(default=timedelta(minutes=1), alias="for")

    @field_validator("for_")
    @classmethod
    def _not_for_ever(cls, lasting: timedelta) -> timedelta:
        if lasting > timedelta(hours=1):
            raise PydanticCustomError("for", "wait for one hour at most, such as 2m")
        return lasting

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.most is None) == (self.least is None):
            raise PydanticCustomError("limit", "set one of most and least")
        return self


class Saturation(Model):
    """How full the canary's containers may be, in percent; both from cAdvisor's metrics.

    A container without a CPU or memory limit cannot be near it.
    """

    cpu_throttled: Fullness | None = None
    """Periods in which the CPU limit throttled a container, of all periods in which it ran."""
    memory: Fullness | None = None
    """The working set, of the memory limit."""
