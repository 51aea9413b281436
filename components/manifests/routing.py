"""Services and the traffic split that Argo Rollouts moves. Flagger makes its own."""

from components import conventions
from components.manifests.manifest import Manifest, body, metadata
from components.spec.service import ServiceSpec


def service(
    name: str, namespace: str, owner: str | None = None, *, handed_over: bool = False
) -> Manifest:
    """A Service in front of the pods of `owner` (by default those of its own name).

    If `handed_over`, a controller narrows its selector to one version's pods.
    """
    owner = owner or name
    annotations = conventions.SKIP_AWAIT if handed_over else None
    port = {
        "name": conventions.PORT_NAME,
        "port": conventions.SERVICE_PORT,
        "targetPort": conventions.PORT_NAME,
        "protocol": "TCP",
    }
    spec = {"selector": {conventions.APP: owner}, "ports": [port]}
    return Manifest(
        body("v1", "Service", metadata(name, namespace, owner, annotations), spec=spec),
        # Pulumi waits until a Service has ready pods: it cannot come before their Deployment.
        wave=0 if handed_over else 1,
        controlled=("spec.selector",) if handed_over else (),
    )


def split(spec: ServiceSpec) -> list[Manifest]:
    """The stable Service NAME, the canary's, and the route between them.

    NAME itself is the stable Service, so that a caller who misses the route gets no canary.
    All of `spec.http` is the controller's: Istio's lists have no keys, so weights cannot be
    owned apart from the routes they stand in. The route is therefore minimal.
    """
    stable, canary = spec.name, conventions.canary(spec.name)
    destinations = [
        {"destination": {"host": stable}, "weight": 100},
        {"destination": {"host": canary}, "weight": 0},
    ]
    virtual_service = body(
        "networking.istio.io/v1",
        "VirtualService",
        metadata(spec.name, spec.namespace, spec.name),
        spec={
            "hosts": [*spec.hosts, stable],
            "gateways": [spec.site.gateway, conventions.MESH_GATEWAY],
            "http": [{"name": conventions.ROUTE, "route": destinations}],
        },
    )
    return [
        service(stable, spec.namespace, handed_over=True),
        service(canary, spec.namespace, spec.name, handed_over=True),
        Manifest(virtual_service, controlled=("spec.http",)),
    ]
