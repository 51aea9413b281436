"""All objects of one service."""

from collections.abc import Callable

from components.manifests import argo, flagger, network, pods, rolling, slorules
from components.manifests.manifest import Manifest
from components.spec.kinds import Controller, Strategy
from components.spec.service import ServiceSpec

CONTROLLERS: dict[Controller, Callable[[ServiceSpec], list[Manifest]]] = {
    Controller.ARGO: argo.objects,
    Controller.FLAGGER: flagger.objects,
}
"""Who can move a canary's traffic. Each has one function, from a spec to its objects."""


def objects(spec: ServiceSpec) -> list[Manifest]:
    """The objects of `spec`, whatever its strategy and controller."""
    rolled = spec.strategy is Strategy.ROLLING
    build = rolling.objects if rolled else CONTROLLERS[spec.controller]
    identity = pods.service_account(spec.name, spec.namespace)
    return [identity, network.for_service(spec), *slorules.objects(spec), *build(spec)]
