"""The application: routes around one judge."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from plugin.api import errors, flagger, health, metrics, verdict
from plugin.api.limits import RequestLimits
from plugin.api.token import Token
from plugin.judge import Judge, Source
from plugin.prometheus import Prometheus
from plugin.settings import Settings


def create_app(settings: Settings, source: Source | None = None) -> FastAPI:
    """The judge's API. `source` stands in for Prometheus in tests."""
    measured = metrics.Metrics()
    prometheus = Prometheus(str(settings.prometheus_url), measured.queried, settings.access)
    judge = Judge(source or prometheus, settings.scrape_interval, settings.istio_reporter)
    record = verdict.Record(measured)
    refuse = errors.refusing(measured.refused)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await prometheus.close()

    app = FastAPI(title="Sluice judge", version="1", lifespan=lifespan)
    errors.install(app, refuse)
    app.add_middleware(RequestLimits, refuse=refuse, under_way=measured.under_way)
    app.include_router(verdict.router(judge, record, Token(settings.token_file)))
    app.include_router(flagger.router(judge, record))
    app.include_router(metrics.router(measured))
    app.include_router(health.router)
    return app
