"""Prometheus' answers: complete and well-formed, or a QueryError."""

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import from_json

from plugin.prometheus.errors import ConfigError, QueryError, line

Number = Annotated[float, Field(allow_inf_nan=False)]

_WARNING, _INFO = "PromQL warning: ", "PromQL info: "
"""How Prometheus begins what it has to say about a query, not about its data (annotations.go)."""


class Series(BaseModel):
    """One series of a range query: its labels, and its samples as (Unix seconds, value)."""

    metric: dict[str, str]
    values: list[tuple[Number, Number]]


class Sample(BaseModel):
    """One series of an instant query."""

    metric: dict[str, str]
    value: tuple[Number, Number]


class _Matrix(BaseModel):
    resultType: Literal["matrix"]  # noqa: N815 the API's spelling
    result: list[Series]


class _Vector(BaseModel):
    resultType: Literal["vector"]  # noqa: N815 the API's spelling
    result: list[Sample]


class RangeAnswer(BaseModel):
    status: Literal["success"]
    data: _Matrix
    warnings: list[str] | None = None


class InstantAnswer(BaseModel):
    status: Literal["success"]
    data: _Vector
    warnings: list[str] | None = None


class _Refusal(BaseModel):
    error: str


Answer = TypeVar("Answer", RangeAnswer, InstantAnswer)


def read(model: type[Answer], content: bytes) -> Answer:
    """The answer of a query that succeeded.

    Raises QueryError if it is none or only a part of one, and ConfigError if Prometheus has doubts
    about the query itself.
    """
    try:
        answer = model.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        if first["type"] == "finite_number":
            series = from_json(content)["data"]["result"][first["loc"][2]]["metric"]
            raise QueryError(
                f"Prometheus has a value that is no finite number, in {line(str(series))}: correct "
                "what exports it"
            ) from None
        where = ".".join(map(str, first["loc"])) or "answer"
        raise QueryError(
            f"Prometheus answered nonsense: {line(where)}: {line(first['msg'])}"
        ) from None
    # New servers answer remarks as `infos`, older ones among the warnings.
    warnings = [each for each in answer.warnings or () if not each.startswith(_INFO)]
    missing = [each for each in warnings if not each.startswith(_WARNING)]
    if missing:
        raise QueryError(f"Prometheus answered in part: {line(missing[0])}")
    if warnings:
        raise ConfigError(
            f"Prometheus doubts the query: {line(warnings[0])}; look at the PromQL in slo.limits "
            "and slo.ratios"
        )
    return answer


def refusal(content: bytes) -> str:
    """Prometheus' own words, or what a proxy in between had to say."""
    try:
        text = _Refusal.model_validate_json(content).error
    except ValidationError:
        text = content.decode("utf-8", "replace")
    return line(text) or "nothing"
