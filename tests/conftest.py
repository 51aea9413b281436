"""What all tests share: one process may load both Envoy's API and Pulumi's SDK.

Pulumi carries its own copy of the message google.rpc.Status, which protobuf refuses beside the
one that Envoy's API is built on. It is the same message, so here both use the one. (No part of
Sluice needs both in one process.)
"""

import sys

from google.rpc import status_pb2
from hypothesis import HealthCheck, settings

sys.modules["pulumi.runtime.proto.status_pb2"] = status_pb2

# Nothing fails for being slow: a test may share its cores with a build.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
