"""Probes. Both say that the judge answers; neither asks Prometheus.

A judge that cannot reach Prometheus must stay in service: it then answers "undecided", which holds
a release. Out of service it would answer nothing, which Argo counts as errors until it aborts.
"""

from fastapi import APIRouter

router = APIRouter()


@router.get("/healthz")
@router.get("/readyz")
async def alive() -> dict[str, str]:
    return {"status": "ok"}
