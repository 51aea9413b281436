"""What all tests share: one process may load both Envoy's API and Pulumi's SDK.

Pulumi carries its own copy of the message google.rpc.Status, which protobuf refuses beside the
one that Envoy's API is built on. It is the same message, so here both use the one. (No part of
Sluice needs both in one process.)
"""

import sys

from google.rpc import status_pb2

sys.modules["pulumi.runtime.proto.status_pb2"] = status_pb2
