"""One environment of Sluice: settings, then the platform, then the services on it."""

import pulumi

from components.platform import Platform
from components.settings import Settings
from services import CATALOGUE

settings = Settings.load()
settings.check_services(CATALOGUE)

platform = Platform("platform", settings)

on_platform = pulumi.ResourceOptions(depends_on=[platform])
services = {name: declare(on_platform) for name, declare in CATALOGUE.items()}

pulumi.export("versions", {name: service.version for name, service in services.items()})
pulumi.export("urls", {name: service.url for name, service in services.items()})
