"""Maps the pod addresses in istiod's answers to the loopback addresses where pods run.

The only change between istiod and Envoy: an endpoint 10.244.x.y becomes 127.N.x.y, in
the endpoints of a cluster (EDS) and in clusters that carry their endpoints (CDS).
"""

# The generated message classes are made at import time, where no type checker sees them.
# pyright: reportAttributeAccessIssue=false

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.service.discovery.v3.discovery_pb2 import DiscoveryResponse

from sandbox.network import Network, is_pod_ip

_ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
_CLUSTERS = "type.googleapis.com/envoy.config.cluster.v3.Cluster"


def map_answer(answer: bytes, network: Network) -> bytes:
    """A DiscoveryResponse with its pod addresses mapped; the very same bytes if it has none."""
    response = DiscoveryResponse.FromString(answer)
    if response.type_url not in (_ENDPOINTS, _CLUSTERS):
        return answer
    changed = False
    for resource in response.resources:
        if resource.type_url == _ENDPOINTS:
            message = assignment = ClusterLoadAssignment.FromString(resource.value)
        else:
            message = Cluster.FromString(resource.value)
            assignment = message.load_assignment
        if _map(assignment, network):
            resource.value = message.SerializeToString()
            changed = True
    return response.SerializeToString() if changed else answer


def _map(assignment: ClusterLoadAssignment, network: Network) -> bool:
    """Map the addresses in place; whether there were any to map."""
    changed = False
    for locality in assignment.endpoints:
        for endpoint in locality.lb_endpoints:
            socket = endpoint.endpoint.address.socket_address
            if _is_pod(socket.address):
                socket.address = network.loopback(socket.address)
                changed = True
    return changed


def _is_pod(address: str) -> bool:
    try:
        return is_pod_ip(address)
    except ValueError:  # a host name, or empty for an address that is no socket
        return False
