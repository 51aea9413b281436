"""How the provider's errors reach a person: as the RPC's error text, without a traceback."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, status_pb2

from sandbox.errors import SandboxError


class InitFailedError(SandboxError):
    """The object exists but is not ready: the engine records it together with the reason."""

    def __init__(self, detail: provider_pb2.ErrorResourceInitFailed):
        super().__init__("; ".join(detail.reasons))
        self.detail = detail


def answered(method: Callable[[Any, Any, Any], Awaitable[Any]]) -> Any:
    """An RPC's method whose errors, if meant for people, become the RPC's status."""

    @functools.wraps(method)
    async def answer(servicer: Any, request: Any, context: grpc.aio.ServicerContext) -> Any:
        try:
            return await method(servicer, request, context)
        except InitFailedError as error:
            status = status_pb2.Status(code=_UNKNOWN, message=str(error))
            status.details.add().Pack(error.detail)
            details = ("grpc-status-details-bin", status.SerializeToString())
            await context.abort(grpc.StatusCode.UNKNOWN, str(error), (details,))
        except (SandboxError, ValueError) as error:
            await context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return answer


_UNKNOWN: int = 2
"""google.rpc.Code.UNKNOWN, what the engine expects of a failed operation."""
