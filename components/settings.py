"""The stack's configuration, checked: `Pulumi.<stack>.yaml` becomes `Settings`."""

from collections.abc import Iterable
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator

from components import conventions
from components.manifests.flagger import SHORTEST_INTERVAL
from components.spec.access import NOBODY, PrometheusAccess
from components.spec.durations import Seconds
from components.spec.errors import dotted, problems, unknown
from components.spec.site import FromConfig, Site


class ConfigError(pulumi.RunError):
    """What a person wrote cannot be used. Pulumi prints the message alone, without a traceback."""


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if "@" in value:  # not quoted, nor is a query: there may be a secret in it
        raise ValueError("credentials do not belong in the address; see sluice:prometheusAccess")
    if parts.query or parts.fragment or "/api/v1" in parts.path:
        raise ValueError('is too long; write only what stands before "/api/v1"')
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"{value!r} is no address of a Prometheus; write it as http://HOST:PORT or https://HOST"
        )
    return value


class Settings(Site):
    """Everything a stack may set. Pulumi.yaml holds the defaults and says what each one means."""

    prometheus_url: Annotated[str, AfterValidator(_http_url)] = Field(
        description="the Prometheus the judge asks, as http://HOST:PORT"
    )
    prometheus_access: Annotated[PrometheusAccess, FromConfig] = Field(
        default=NOBODY, description="how the judge tells Prometheus who asks"
    )
    # After analysis_interval, which its validator needs.
    scrape_interval: Seconds = Field(description='how often it scrapes, such as "15s"')
    judge_image: str = Field(description="the judge's container image")
    services: Annotated[dict[str, dict[str, Any]], FromConfig] = Field(
        description="arguments that replace a service's own on this stack, by service name"
    )

    @field_validator("scrape_interval")
    @classmethod
    def _seen_between_looks(cls, scrape: int, info: ValidationInfo) -> int:
        """Flagger's weight is as old as a scrape, and must not be that of the stage before.

        Any service may choose Flagger, so the controller of the stack does not matter.
        """
        looks = max(SHORTEST_INTERVAL, info.data.get("analysis_interval", 2 * scrape))
        if looks < 2 * scrape:
            raise ValueError(
                f"there must be two scrapes between two looks at a canary (every {looks}s): write "
                f"sluice:analysisInterval as {2 * scrape}s or more, or "
                f"sluice:scrapeInterval as {looks // 2}s or less"
            )
        return scrape

    @field_validator("prometheus_access")
    @classmethod
    def _encrypted(cls, access: PrometheusAccess, info: ValidationInfo) -> PrometheusAccess:
        if (
            access.certified
            and urlsplit(info.data.get("prometheus_url", "https:")).scheme == "http"
        ):
            raise ValueError(
                "ca and certificate are of no use to an http:// address; write "
                "sluice:prometheusUrl as https://HOST, or leave them out"
            )
        return access

    @classmethod
    def load(cls) -> Self:
        """Read the stack's configuration.

        Raises ConfigError, which names each wrong key, the stack file, and the fix.
        """
        prefix = f"{conventions.PROJECT}:"
        given = {
            key.removeprefix(prefix): value
            for key, value in (get_config_env() | CONFIG.get()).items()
            if key.startswith(prefix)
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise ConfigError(
                "\n".join(
                    f"{stack_file()}: {prefix}{dotted(path)}: {sentence}"
                    for path, sentence in problems(error, cls)
                )
            ) from None

    def check_services(self, known: Iterable[str]) -> None:
        """Raise ConfigError if the stack overlays a service that is not in the catalogue."""
        known = set(known)
        lines = [
            f"{stack_file()}: {conventions.PROJECT}:services.{name}: "
            f"{unknown('service of the catalogue', known, name)}"
            for name in sorted(self.services.keys() - known)
        ]
        if lines:
            raise ConfigError("\n".join(lines))


def stack_file() -> str:
    """The file the current stack is configured in."""
    return f"Pulumi.{pulumi.get_stack()}.yaml"
