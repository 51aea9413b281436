"""The bearer token that /v1/verdict may demand."""

import hmac
import logging
from pathlib import Path
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from plugin.secretfile import SecretError, read_secrets

_log = logging.getLogger(__name__)
_scheme = HTTPBearer(auto_error=False, description="If the judge was given SLUICE_TOKEN_FILE")
Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_scheme)]


class Token:
    """Lets a request through that carries one of the file's tokens, or any without a file.

    Each line is a token, so that an old and a new one can overlap. The file is read every time:
    Kubernetes replaces a mounted secret while the judge runs.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file

    async def __call__(self, given: Given) -> None:
        if self._file is None:
            return
        try:
            tokens = read_secrets(self._file)
        except SecretError as error:
            _log.error("SLUICE_TOKEN_FILE: %s", error)
            raise HTTPException(503, "the judge cannot read its token: see its log") from None
        sent = given.credentials.encode() if given else b""
        # All are compared, so that the time tells nothing about which one came close.
        if sum(hmac.compare_digest(sent, token.encode()) for token in tokens) == 0:
            raise HTTPException(
                401,
                "send a token of the judge's as Authorization: Bearer",
                {"WWW-Authenticate": "Bearer"},
            )
