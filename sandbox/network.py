"""Where everything in a sandbox listens: one /16 of the loopback network per clone.

Linux answers on all of 127.0.0.0/8 without configuration. Each sandbox takes a free
second octet, so two clones run side by side while every part keeps the port it has
on a cluster, and a pod address maps to a process by arithmetic: 10.244.x.y is
reached at 127.OCTET.x.y (Kubernetes refuses loopback addresses for pods).
"""

import ipaddress
import socket
from dataclasses import dataclass

POD_NETWORK = ipaddress.ip_network("10.244.0.0/16")
SERVICE_NETWORK = ipaddress.ip_network("10.96.0.0/16")

# The third octet 0 belongs to the sandbox's own parts; pods live in 1 to 254.
HOSTS = {
    "node": 1,
    "etcd": 2,
    "apiserver": 3,
    "gateway": 4,
    "istiod": 5,
    "relay": 6,
    "proxy": 7,
    "prometheus": 8,
    "argo-rollouts": 9,
    "flagger": 10,
    "kube-state-metrics": 11,
}


@dataclass(frozen=True)
class Network:
    """The loopback /16 of one sandbox; `octet` is the second octet, 1 to 254."""

    octet: int

    def address(self, host: str) -> str:
        """The loopback address of one of the sandbox's own parts (a key of HOSTS)."""
        return f"127.{self.octet}.0.{HOSTS[host]}"

    def loopback(self, pod_ip: str) -> str:
        """The loopback address at which the pod with this cluster address answers."""
        _, _, third, fourth = pod_ip.split(".")
        return f"127.{self.octet}.{third}.{fourth}"

    def url(self, host: str, port: int) -> str:
        return f"http://{self.address(host)}:{port}"


def is_pod_ip(address: str) -> bool:
    return ipaddress.ip_address(address) in POD_NETWORK


def port_is_free(address: str, port: int) -> bool:
    """Whether a server could listen there now (a socket in TIME_WAIT does not count)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
