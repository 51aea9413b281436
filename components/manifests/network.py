"""Who may talk to whom."""

from components import conventions
from components.manifests.manifest import Body, Manifest, body, metadata
from components.spec.service import ServiceSpec


def for_service(spec: ServiceSpec) -> Manifest:
    """Only the mesh may call a service: a caller outside it would bypass the traffic split."""
    callers = [
        {"namespaceSelector": {"matchLabels": {conventions.MESH_INJECTION: "enabled"}}},
        namespace(conventions.MESH_NAMESPACE),
    ]
    ingress = [
        {"from": callers, "ports": [tcp(spec.port)]},
        {"from": [namespace(conventions.MONITORING_NAMESPACE)]},
    ]
    return policy(spec.name, spec.namespace, {"policyTypes": ["Ingress"], "ingress": ingress})


def policy(name: str, namespace: str, rules: Body) -> Manifest:
    """A policy for all pods of `name`, whichever version they are."""
    pods = {"podSelector": {"matchLabels": {conventions.APP_NAME: name}}}
    meta = metadata(name, namespace, name)
    return Manifest(body("networking.k8s.io/v1", "NetworkPolicy", meta, spec=pods | rules))


def namespace(name: str) -> Body:
    """Every pod of a namespace, as a peer."""
    return {"namespaceSelector": {"matchLabels": {conventions.NAMESPACE_LABEL: name}}}


def tcp(port: int) -> Body:
    """One TCP port."""
    return {"protocol": "TCP", "port": port}
