"""What is wrong with a question, in the words of who has to put it right. Pure."""

from collections.abc import Sequence
from typing import Any

_NO_OBJECT = {"model_type", "model_attributes_type", "dict_type"}
_NO_LIST = {"list_type", "tuple_type"}
_KEY = "[key]"
"""Pydantic's last step to the name of an entry, after the name itself."""
_CANARY = '{"workload": "checkout", "version": "1.1"}'
_STABLE = '{"workload": "checkout", "not_version": "1.1"}'
EXAMPLES = {
    "arms": f'{{"canary": {_CANARY}, "stable": {_STABLE}}}',
    "canary": _CANARY,
    "days": '["mon", "tue"]',
    "hours": '"09:00-16:30"',
    "namespace": '"shop"',
    "percentile": "95",
    "service": '"checkout"',
    "slo": '{"availability": 99.9}',
    "stable": _STABLE,
    "target": "99",
    "threshold": '"250ms"',
    "total": '"payments_total"',
    "value": '"jvm_memory_used_bytes"',
    "version": '"1.1"',
    "workload": '"checkout"',
}
"""Of every field that a question, or a part of it, has to have."""


def first_problem(problems: Sequence[Any], prefix: tuple[str, ...] = ()) -> tuple[str, str]:
    """The field and the message of pydantic's first complaint."""
    problem = problems[0]
    path = place(problem["loc"])
    message = problem["msg"]
    if problem["type"] == "extra_forbidden":
        message = "this key is not known here: correct or remove it"
    elif problem["type"] == "too_long":
        message = f"write {problem['ctx']['max_length']} at most"
    elif problem["type"] in _NO_OBJECT:
        message = "write an object here: keys and values in braces"
    elif problem["type"] in _NO_LIST:
        message = "write a list here: values in brackets"
    elif problem["type"] == "missing" and (example := EXAMPLES.get(str(path[-1]))):
        message = f"is missing: write it, such as {example}"
    return ".".join((*prefix, *map(str, path))), message


def place(path: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Where pydantic complains, as far as it was written."""
    return path[:-1] if path and path[-1] == _KEY else path
