"""What the mesh's parts call each other: nodes, ports and labels, defined once."""

from dataclasses import dataclass

NAMESPACE = "istio-system"
CLUSTER = "Kubernetes"
DOMAIN = "cluster.local"
# What Envoy tells istiod it is; istiod generates the configuration of that release for it.
ISTIO_VERSION = "1.31.0"

# Ports as on a cluster.
XDS_PORT = 15010
ISTIOD_HTTP_PORT = 8080
ISTIOD_MONITORING_PORT = 15014
ISTIOD_CONTROLZ_PORT = 9876
GATEWAY_PORT = 8080
PROXY_PORT = 15080
ADMIN_PORT = 15000
ACCESS_LOG_PORT = 9001
METRICS_PORT = 15090

# The cluster by which the configuration that istiod writes refers to the access log service.
ACCESS_LOG_CLUSTER = "envoy_accesslog_service"


@dataclass(frozen=True)
class Node:
    """One Envoy as istiod knows it. `host` is its key in sandbox.network.HOSTS; `workload`
    is the name it has in `source_workload`; `kind` is istiod's node type.
    """

    host: str
    kind: str
    workload: str
    labels: dict[str, str]
    ip: str

    @property
    def id(self) -> str:
        name = f"{self.workload}.{NAMESPACE}"
        return f"{self.kind}~{self.ip}~{name}~{NAMESPACE}.svc.{DOMAIN}"


GATEWAY = Node(
    "gateway",
    "router",
    "istio-ingressgateway",
    {"app": "istio-ingressgateway", "istio": "ingressgateway"},
    "10.244.0.4",
)
PROXY = Node("proxy", "sidecar", "sluice-proxy", {"app": "sluice-proxy"}, "10.244.0.7")
