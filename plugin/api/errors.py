"""Errors of the API: one shape, and always the field to correct."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from plugin.api.answers import ErrorAnswer, ErrorDetail

MAX_REQUEST_BYTES = 64 * 1024
_MAX_MESSAGE = 300


class QuestionError(Exception):
    """The question inside of a Flagger hook's metadata is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def first_problem(problems: Sequence[Any], prefix: tuple[str, ...] = ()) -> tuple[str, str]:
    """The field and the message of pydantic's first complaint."""
    problem = problems[0]
    path = ".".join((*prefix, *map(str, problem["loc"])))
    message = problem["msg"]
    if problem["type"] == "extra_forbidden":
        message = "this key is not known here: correct or remove it"
    return path, message


def refuse(status: int, field: str | None, message: str) -> JSONResponse:
    """A refusal in the API's error shape; what the client sent is quoted safely and shortly."""
    detail = ErrorDetail(field=_safe(field) if field else None, message=_safe(message))
    return JSONResponse(ErrorAnswer(error=detail).model_dump(), status_code=status)


def install(app: FastAPI) -> None:
    """Answer every error in the one shape, and refuse requests that are too large."""

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        field, message = first_problem(error.errors())
        return refuse(422, field.removeprefix("body.") or "body", message)

    @app.exception_handler(QuestionError)
    async def _wrong(_: Request, error: QuestionError) -> JSONResponse:
        return refuse(422, error.field, str(error))

    @app.exception_handler(HTTPException)
    async def _refused(_: Request, error: HTTPException) -> JSONResponse:
        answer = refuse(error.status_code, None, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def _failed(_: Request, error: Exception) -> JSONResponse:
        return refuse(500, None, f"the judge itself failed ({type(error).__name__}): see its log")

    app.add_middleware(BoundedRequests)


class BoundedRequests:
    """Stops reading a request that is larger than any question."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_REQUEST_BYTES:
                raise HTTPException(413, f"a request has at most {MAX_REQUEST_BYTES >> 10} KiB")
            return message

        await self._app(scope, bounded if scope["type"] == "http" else receive, send)


def _safe(text: str) -> str:
    """Encodable whatever the client sent, lone surrogates included."""
    return text[:_MAX_MESSAGE].encode("utf-8", "backslashreplace").decode()
