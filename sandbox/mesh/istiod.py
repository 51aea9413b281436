"""istiod, as released: its mesh configuration, its arguments and environment.

Three things are switched off because upstream Envoy lacks Istio's own filters (metadata
exchange, ALPN override, in-proxy telemetry), and what needs a certificate or a webhook
because nothing here serves one.
"""

import json
from pathlib import Path

from sandbox.mesh import names
from sandbox.network import Network
from sandbox.process import Process, http_ready


def mesh_config() -> dict[str, object]:
    """Istio's MeshConfig. Names that are no Service answer 502 at once, so no request of the
    sandbox can leave the machine.
    """
    return {
        "rootNamespace": names.NAMESPACE,
        "trustDomain": names.DOMAIN,
        "enableAutoMtls": False,
        "defaultProviders": {},
        "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
    }


def process(network: Network, kubeconfig: Path, folder: Path, binaries: Path) -> Process:
    path = folder / "mesh.json"
    address = network.address("istiod")
    ports = {
        "--grpcAddr": names.XDS_PORT,
        "--httpAddr": names.ISTIOD_HTTP_PORT,
        "--monitoringAddr": names.ISTIOD_MONITORING_PORT,
    }
    return Process(
        name="istiod",
        argv=[
            str(binaries / "pilot-discovery"),
            "discovery",
            f"--kubeconfig={kubeconfig}",
            "--registries=Kubernetes",
            f"--meshConfig={path}",
            f"--networksConfig={folder / 'networks.json'}",
            *(f"{flag}={address}:{port}" for flag, port in ports.items()),
            "--httpsAddr=",
            "--secureGRPCAddr=",
            f"--ctrlz_address={address}",
            f"--ctrlz_port={names.ISTIOD_CONTROLZ_PORT}",
            "--shutdownDuration=1s",
            "--log_output_level=default:warn",
        ],
        env={
            "POD_NAMESPACE": names.NAMESPACE,
            "POD_NAME": "istiod",
            "CLUSTER_ID": names.CLUSTER,
            "ENABLE_LEADER_ELECTION": "false",
            "INJECT_ENABLED": "false",
            "VALIDATION_WEBHOOK_CONFIG_NAME": "",
            "PILOT_ENABLE_METADATA_EXCHANGE": "false",
            "PILOT_ENABLE_ALPN_FILTER": "false",
            "PILOT_DISABLE_MX_ALPN": "true",
        },
        files={path: json.dumps(mesh_config(), indent=2)},
        listens=[(address, port) for port in (*ports.values(), names.ISTIOD_CONTROLZ_PORT)],
        ready=http_ready(f"http://{address}:{names.ISTIOD_HTTP_PORT}/ready"),
        version=kubeconfig.read_text(),
    )
