"""The Service component."""

from pathlib import Path

import pulumi

from components import conventions
from components.manifests import service as manifests
from components.manifests import workload
from components.resources import declare
from components.service.args import ServiceArgs
from components.settings import ConfigError, Settings, stack_file
from components.spec import openslo
from components.spec.errors import SpecError
from components.spec.service import resolve


class Service(pulumi.ComponentResource):
    """A service whose releases reach users stage by stage, as fast as the evidence allows.

    The stack may overlay `args` under `sluice:services.NAME` of its configuration; that is how a
    release (a new image tag, its environment) reaches one stack and not another.
    """

    version: pulumi.Output[str]
    """The name of this release: the pods' label `version`."""

    url: pulumi.Output[str]
    """Where callers inside the cluster reach the service."""

    def __init__(
        self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("sluice:index:Service", name, {}, opts)
        settings = Settings.load()
        overlay = settings.services.get(name, {})
        source = f"{stack_file()}, {conventions.PROJECT}:services"
        try:
            written = openslo.expand(name, args, overlay, Path.cwd())
            spec = resolve(name, written.args, settings, written.overlay, source)
        except SpecError as error:
            raise ConfigError(str(error)) from None
        for warning in written.warnings:
            pulumi.log.warn(warning, self)
        declare(manifests.objects(spec), self, opts or pulumi.ResourceOptions())
        self.version = pulumi.Output.from_input(workload.version(spec))
        self.url = pulumi.Output.from_input(f"http://{spec.name}.{spec.namespace}.svc")
        self.register_outputs({"version": self.version, "url": self.url})
