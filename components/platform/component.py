"""The Platform component."""

import pulumi

from components.manifests import platform as manifests
from components.resources import declare
from components.settings import Settings


class Platform(pulumi.ComponentResource):
    """The namespaces and the judge of a stack whose mesh, metrics and controllers exist already."""

    def __init__(
        self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sluice:index:Platform", name, {}, opts)
        namespaces = declare(
            manifests.namespaces(settings.namespace), self, pulumi.ResourceOptions()
        )
        declare(
            manifests.judge(
                settings.judge_image,
                settings.prometheus_url,
                settings.scrape_interval,
                settings.prometheus_access,
                token_secret=settings.judge_token_secret,
                reporter=settings.istio_reporter,
            ),
            self,
            pulumi.ResourceOptions(depends_on=namespaces),
        )
        self.register_outputs({})
