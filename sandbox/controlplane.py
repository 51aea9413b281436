"""etcd, kube-apiserver and kube-controller-manager, as on a cluster but on loopback."""

import json
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import ports
from sandbox.layout import Layout
from sandbox.network import SERVICE_NETWORK, Network
from sandbox.process import Process, http_ready

# What the demo and the controllers need of the controller manager; there is no cloud, no
# volumes and no node but ours, so the controllers of those stay off.
CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "endpointslice-controller",
    "namespace-controller",
    "garbage-collector-controller",
    "pod-garbage-collector-controller",
    "serviceaccount-controller",
    "root-ca-certificate-publisher-controller",
    "disruption-controller",
    "job-controller",
)


def processes(layout: Layout, network: Network) -> tuple[Process, Process, Process]:
    """etcd, the API server, the controller manager; writes their keys and the kubeconfig."""
    data = layout.sandbox / "controlplane"
    data.mkdir(parents=True, exist_ok=True)
    token = _token(data)
    key = _service_account_key(data)
    # One folder per network: the serving certificate names the address.
    certificates = data / f"certificates-{network.octet}"
    _write_kubeconfig(layout.kubeconfig, network, token, certificates)
    return (
        _etcd(layout, network, data),
        _apiserver(layout, network, data, key, certificates),
        _controller_manager(layout, key),
    )


def _etcd(layout: Layout, network: Network, data: Path) -> Process:
    address = network.address("etcd")
    client, peer = f"http://{address}:{ports.ETCD}", f"http://{address}:{ports.ETCD_PEER}"
    return Process(
        name="etcd",
        argv=[
            str(layout.binaries / "etcd"),
            *("--name=default", f"--data-dir={data / 'etcd'}"),
            *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
            *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"),
            # A member that comes back on another address keeps its data.
            *(f"--initial-cluster=default={peer}", "--force-new-cluster"),
            "--log-level=warn",
        ],
        listens=[(address, ports.ETCD), (address, ports.ETCD_PEER)],
        ready=http_ready(f"{client}/health"),
    )


def _apiserver(
    layout: Layout, network: Network, data: Path, key: Path, certificates: Path
) -> Process:
    address = network.address("apiserver")
    return Process(
        name="kube-apiserver",
        argv=[
            str(layout.binaries / "kube-apiserver"),
            f"--etcd-servers={network.url('etcd', ports.ETCD)}",
            f"--bind-address={address}",
            f"--secure-port={ports.APISERVER}",
            # Loopback may not be advertised; nobody uses this address.
            "--advertise-address=10.96.0.1",
            "--endpoint-reconciler-type=none",
            f"--cert-dir={certificates}",
            f"--service-cluster-ip-range={SERVICE_NETWORK}",
            f"--token-auth-file={data / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--anonymous-auth=true",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--enable-priority-and-fairness=false",
            "--profiling=false",
        ],
        listens=[(address, ports.APISERVER)],
        ready=http_ready(f"https://{address}:{ports.APISERVER}/readyz"),
        start_seconds=90,
    )


def _controller_manager(layout: Layout, key: Path) -> Process:
    return Process(
        name="kube-controller-manager",
        argv=[
            str(layout.binaries / "kube-controller-manager"),
            f"--kubeconfig={layout.kubeconfig}",
            "--leader-elect=false",
            "--secure-port=0",
            f"--service-account-private-key-file={key}",
            f"--controllers={','.join(CONTROLLERS)}",
            "--concurrent-gc-syncs=4",
        ],
        version=layout.kubeconfig.read_text(),
    )


def _token(data: Path) -> str:
    """The administrator's token of this sandbox, made once."""
    path = data / "tokens.csv"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(f'{secrets.token_hex(16)},admin,admin,"system:masters"\n')
    return path.read_text().partition(",")[0]


def _service_account_key(data: Path) -> Path:
    path = data / "service-account.key"
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        path.touch(mode=0o600)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
    return path


def _write_kubeconfig(path: Path, network: Network, token: str, certificates: Path) -> None:
    """The API server makes its own certificate; its file carries the authority as well."""
    cluster = {
        "server": f"https://{network.address('apiserver')}:{ports.APISERVER}",
        "certificate-authority": str(certificates / "apiserver.crt"),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "sluice-sandbox",
        "clusters": [{"name": "sluice-sandbox", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [
            {"name": "sluice-sandbox", "context": {"cluster": "sluice-sandbox", "user": "admin"}}
        ],
    }
    text = json.dumps(config, indent=1)
    # Left alone when it says that already: what runs may be reading it.
    if not path.exists() or path.read_text() != text:
        path.touch(mode=0o600)
        path.write_text(text)
