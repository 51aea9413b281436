"""The judge's settings, from the environment."""

from typing import Literal

from pydantic import Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """`SLUICE_PROMETHEUS_URL` is required; the address is the operator's, never the request's."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_", populate_by_name=True, frozen=True)

    prometheus_url: HttpUrl
    """Prometheus, Thanos, Mimir or Amazon Managed Prometheus: what stands before "/api/v1"."""
    scrape_interval: int = Field(default=15, ge=1, le=300)
    """Seconds between two scrapes of the request metrics."""
    istio_reporter: Literal["source", "destination", "waypoint"] = "source"
    """Whose request counts to use; "destination" where callers are outside of the mesh."""
    host: str = Field(default="0.0.0.0", validation_alias="HOST")  # noqa: S104 a pod's address
    port: int = Field(default=8080, ge=0, le=65535, validation_alias="PORT")
