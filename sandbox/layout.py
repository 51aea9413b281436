"""Where the sandbox keeps things: everything inside the clone's own ignored folder."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

from sandbox import ports
from sandbox.errors import SandboxError
from sandbox.network import Network, port_is_free

ROOT = Path(__file__).resolve().parents[1]
KUBELET_PORT = 10250


@dataclass(frozen=True)
class Layout:
    """The folders of one clone. `state` is `.sluice`; deleting it forgets everything.

    `instance` tells the sandbox of the demo from that of the tests: both may run at once.
    """

    instance: str = "sandbox"
    state: Path = ROOT / ".sluice"

    @property
    def binaries(self) -> Path:
        return self.state / "bin"

    @property
    def crds(self) -> Path:
        return self.state / "crds"

    @property
    def sandbox(self) -> Path:
        return self.state / self.instance

    @property
    def kubeconfig(self) -> Path:
        return self.sandbox / "kubeconfig"

    @property
    def pulumi(self) -> Path:
        return self.sandbox / "pulumi"

    @property
    def venv(self) -> Path:
        return self.state / "venv"

    def instances(self) -> list["Layout"]:
        """Every sandbox of this clone that was ever started."""
        return [Layout(path.parent.name, self.state) for path in self.state.glob("*/run")]

    def network(self) -> Network:
        """This sandbox's loopback network: chosen once, then kept."""
        path = self.sandbox / "network.json"
        if path.exists():
            return Network(json.loads(path.read_text())["octet"])
        network = Network(_free_octet())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"octet": network.octet}))
        return network

    def forget_network(self) -> None:
        """Choose another network the next time."""
        (self.sandbox / "network.json").unlink(missing_ok=True)


def _free_octet() -> int:
    """An octet that no other sandbox uses now.

    Random order, so that two clones that start at once hardly ever meet; the ports checked
    are those of the parts that start first.
    """
    candidates = list(range(10, 250))
    random.shuffle(candidates)
    for octet in candidates:
        network = Network(octet)
        taken = [("etcd", ports.ETCD), ("apiserver", ports.APISERVER), ("node", KUBELET_PORT)]
        if all(port_is_free(network.address(host), port) for host, port in taken):
            return octet
    raise SandboxError("Every loopback network 127.10.0.0/16 to 127.249.0.0/16 is in use.")
