"""Specifications to build manifests from."""

from collections.abc import Callable
from typing import Any

import pytest

from components.manifests import service
from components.manifests.manifest import Manifest
from components.spec.service import ServiceSpec, resolve
from components.spec.site import Site

SLO = {"availability": 99.0, "latency": {"percentile": 95, "threshold": "250ms"}}


@pytest.fixture
def make_site() -> Callable[..., Site]:
    """Make a stack from settings that add to what every stack has."""
    always: dict[str, Any] = {
        "controller": "argo",
        "namespace": "shop",
        "domain": "local",
        "gateway": "istio-system/ingress",
        "analysisInterval": "30s",
        "stages": [
            {"weight": 10, "time": "5m"},
            {"weight": 30, "time": "10m"},
            {"weight": 60, "time": "15m"},
        ],
    }
    return lambda **settings: Site.model_validate(always | settings)


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site()


@pytest.fixture
def make_spec(site: Site) -> Callable[..., ServiceSpec]:
    """Make the specification of `checkout` from arguments that add to a sound minimum."""

    def make(**args: Any) -> ServiceSpec:
        return resolve("checkout", {"image": "shop/checkout:1.8.0", "slo": SLO} | args, site)

    return make


@pytest.fixture
def make_objects(make_spec: Callable[..., ServiceSpec]) -> Callable[..., dict[str, Manifest]]:
    """Build the objects of `checkout`, by "Kind/name"."""

    def make(**args: Any) -> dict[str, Manifest]:
        manifests = service.objects(make_spec(**args))
        return {f"{manifest.kind}/{manifest.name}": manifest for manifest in manifests}

    return make
