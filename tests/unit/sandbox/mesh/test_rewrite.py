"""The relay's only change to istiod's answers."""

# The generated message classes are made at import time, where no type checker sees them.
# pyright: reportAttributeAccessIssue=false

import pytest
from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from envoy.service.discovery.v3.discovery_pb2 import DiscoveryResponse
from google.protobuf.message import Message

from sandbox.mesh.rewrite import map_answer
from sandbox.network import Network

NETWORK = Network(42)


def assignment(*addresses: str) -> ClusterLoadAssignment:
    message = ClusterLoadAssignment(cluster_name="outbound|80||web.shop.svc.cluster.local")
    for address in addresses:
        endpoint = message.endpoints.add().lb_endpoints.add()
        endpoint.load_balancing_weight.value = 3
        endpoint.endpoint.address.socket_address.address = address
        endpoint.endpoint.address.socket_address.port_value = 8080
    return message


def answer(*resources: Message) -> bytes:
    message = DiscoveryResponse(version_info="7", nonce="n")
    for resource in resources:
        message.resources.add().Pack(resource)
        message.type_url = message.resources[0].type_url
    return message.SerializeToString()


def addresses(message: ClusterLoadAssignment) -> list[str]:
    return [
        endpoint.endpoint.address.socket_address.address
        for locality in message.endpoints
        for endpoint in locality.lb_endpoints
    ]


def test_endpoints_of_pods_are_mapped_and_all_else_is_kept():
    mapped = DiscoveryResponse.FromString(
        map_answer(answer(assignment("10.244.3.9", "93.184.216.34")), NETWORK)
    )
    result = ClusterLoadAssignment.FromString(mapped.resources[0].value)
    assert addresses(result) == ["127.42.3.9", "93.184.216.34"]
    assert (mapped.version_info, mapped.nonce) == ("7", "n")
    kept = result.endpoints[0].lb_endpoints[0]
    assert kept.load_balancing_weight.value == 3
    assert kept.endpoint.address.socket_address.port_value == 8080


def test_clusters_that_carry_their_endpoints_are_mapped():
    cluster = Cluster(name="inline", load_assignment=assignment("10.244.1.2"))
    mapped = DiscoveryResponse.FromString(map_answer(answer(cluster), NETWORK))
    result = Cluster.FromString(mapped.resources[0].value)
    assert addresses(result.load_assignment) == ["127.42.1.2"]
    assert result.name == "inline"


@pytest.mark.parametrize(
    "message",
    [
        RouteConfiguration(name="10.244.1.2"),
        Cluster(name="empty"),
        assignment("web.example.com"),
        assignment("10.245.1.2"),
    ],
    ids=["another type", "cluster without endpoints", "host name", "outside the pod network"],
)
def test_what_holds_no_pod_address_passes_as_the_same_bytes(message: Message):
    sent = answer(message)
    assert map_answer(sent, NETWORK) is sent


def test_an_empty_answer_passes():
    sent = DiscoveryResponse(type_url="anything").SerializeToString()
    assert map_answer(sent, NETWORK) is sent
