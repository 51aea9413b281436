"""Errors of the API: one shape, and always the field to correct."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from plugin.api.answers import ErrorAnswer, ErrorDetail
from plugin.problem import first_problem

_MAX_MESSAGE = 300
_UNREADABLE = "is no JSON in UTF-8 that can be read"

Refuse = Callable[[int, str | None, str], JSONResponse]
"""Status, field and message → the answer."""

RESPONSES: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "The request is no HTTP that can be read"},
    408: {"model": ErrorAnswer, "description": "The request came too slowly"},
    413: {"model": ErrorAnswer, "description": "The request is too large"},
    422: {"model": ErrorAnswer, "description": "The question is wrong: the field and the fix"},
    500: {"model": ErrorAnswer, "description": "The judge itself failed"},
    503: {"model": ErrorAnswer, "description": "Too many questions at once"},
}


class QuestionError(Exception):
    """The question inside of a Flagger hook's metadata is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def refusing(refused: Callable[[int], None]) -> Refuse:
    """Answers in the API's error shape, and tells `refused` the status of each.

    What the client sent is quoted safely and shortly.
    """

    def refuse(status: int, field: str | None, message: str) -> JSONResponse:
        refused(status)
        detail = ErrorDetail(field=_safe(field) if field else None, message=_safe(message))
        return JSONResponse(ErrorAnswer(error=detail).model_dump(), status_code=status)

    return refuse


def install(app: FastAPI, refuse: Refuse) -> None:
    """Answer every error in the one shape."""

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        field, message = first_problem(error.errors())
        if field == "body" and not _is_json(request):
            message = "send it with the header Content-Type: application/json"
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            at = first["loc"][-1]
            field, message = "body", f"{_UNREADABLE}: {first['ctx']['error']} at character {at}"
        elif field == "body" and first["type"] == "missing" and _is_json(request):
            message = "send a question: the body is empty"
        return refuse(422, field.removeprefix("body.") or "body", message)

    @app.exception_handler(QuestionError)
    async def _wrong(_: Request, error: QuestionError) -> JSONResponse:
        return refuse(422, error.field, str(error))

    @app.exception_handler(HTTPException)
    async def _refused(_: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 400:  # only the reading of a body ends so
            return refuse(422, "body", _UNREADABLE)
        answer = refuse(error.status_code, None, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def _failed(_: Request, error: Exception) -> JSONResponse:
        return refuse(500, None, f"the judge itself failed ({type(error).__name__}): see its log")


def _is_json(request: Request) -> bool:
    """Whether the body says that it is JSON: what does not is not read as such."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def _safe(text: str) -> str:
    """Encodable whatever the client sent, lone surrogates included."""
    return text[:_MAX_MESSAGE].encode("utf-8", "backslashreplace").decode()
