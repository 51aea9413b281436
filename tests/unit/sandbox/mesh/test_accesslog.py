"""Reading Envoy's reports of requests, and asking Envoy for them."""

# The generated message classes are made at import time, where no type checker sees them.
# pyright: reportAttributeAccessIssue=false

import json

from envoy.data.accesslog.v3.accesslog_pb2 import HTTPAccessLogEntry
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2,
)
from google.protobuf.json_format import Parse

from sandbox.mesh.accesslog import filter_spec, request

# Importing the logger's module makes its type known for the check of the filter's value.
from envoy.extensions.access_loggers.grpc.v3 import als_pb2  # noqa: F401  isort: skip

ANSWERED = """{
  "common_properties": {
    "downstream_direct_remote_address": {"socket_address": {"address": "127.9.1.7"}},
    "upstream_remote_address": {"socket_address": {"address": "127.9.1.4"}},
    "time_to_first_upstream_tx_byte": "0.0002s",
    "duration": "1.250500s",
    "custom_tags": {"cluster": "outbound|80||web.shop.svc.cluster.local", "flags": "-"}
  },
  "response": {"response_code": 200}
}"""
CONNECTION_REFUSED = """{
  "common_properties": {
    "upstream_remote_address": {"socket_address": {"address": "127.9.1.4"}},
    "duration": "0.004s",
    "custom_tags": {"cluster": "outbound|80||web.shop.svc.cluster.local", "flags": "URX,UF"}
  },
  "response": {"response_code": 503}
}"""
NO_ROUTE = """{
  "common_properties": {"duration": "0.0001s", "custom_tags": {"flags": "NR"}},
  "response": {"response_code": 404}
}"""
CALLER_LEFT = """{
  "common_properties": {"duration": "0.3s", "custom_tags": {"flags": "DC"}},
  "response": {}
}"""


def read(text: str):
    return request(Parse(text, HTTPAccessLogEntry()))


def test_an_answered_request_is_read_with_its_time_in_milliseconds():
    found = read(ANSWERED)
    assert (found.caller, found.upstream) == ("127.9.1.7", "127.9.1.4")
    assert found.cluster == "outbound|80||web.shop.svc.cluster.local"
    assert (found.code, found.flags, found.reached) == (200, "-", True)
    assert found.milliseconds == 1250.5


def test_a_refused_connection_names_the_pod_but_did_not_reach_it():
    found = read(CONNECTION_REFUSED)
    assert (found.upstream, found.reached) == ("127.9.1.4", False)
    assert (found.code, found.flags) == (503, "URX,UF")


def test_a_request_without_a_route_has_no_cluster_and_no_upstream():
    found = read(NO_ROUTE)
    assert (found.cluster, found.upstream, found.caller) == ("", "", "")
    assert (found.code, found.flags) == (404, "NR")


def test_a_caller_that_left_before_the_answer_has_code_zero_as_in_istio():
    assert read(CALLER_LEFT).code == 0


def test_the_filter_merges_a_valid_logger_into_every_http_connection_manager():
    """A misspelt field would make Envoy refuse every listener of the mesh."""
    (patch,) = filter_spec()["configPatches"]
    assert (patch["applyTo"], patch["patch"]["operation"]) == ("NETWORK_FILTER", "MERGE")
    value = dict(patch["patch"]["value"]["typed_config"])
    assert value.pop("@type").endswith(".HttpConnectionManager")
    manager = http_connection_manager_pb2.HttpConnectionManager()
    Parse(json.dumps(value), manager)
    assert len(manager.access_log) == 1
