"""Prometheus, scraping every two seconds what a cluster's Prometheus scrapes every fifteen."""

import json

from sandbox import ports
from sandbox.cluster import Manifest
from sandbox.layout import Layout
from sandbox.mesh.names import METRICS_PORT
from sandbox.network import Network
from sandbox.process import Process, http_ready

NAME, NAMESPACE = "prometheus", "monitoring"
SCRAPE_SECONDS = 2


def process(layout: Layout, network: Network) -> Process:
    """Prometheus with its configuration file written; data older than a day is dropped."""
    folder = layout.sandbox / "prometheus"
    folder.mkdir(parents=True, exist_ok=True)
    # JSON is YAML; nothing has to be quoted by hand.
    text = json.dumps(configuration(layout, network), indent=1)
    (folder / "prometheus.yaml").write_text(text)
    address = network.address("prometheus")
    return Process(
        name="prometheus",
        argv=[
            str(layout.binaries / "prometheus"),
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=1d",
            f"--web.listen-address={address}:{ports.PROMETHEUS}",
            "--log.level=warn",
        ],
        listens=[(address, ports.PROMETHEUS)],
        ready=http_ready(f"http://{address}:{ports.PROMETHEUS}/-/ready"),
        version=text,
    )


def manifests(network: Network) -> list[Manifest]:
    """The Service by whose name pods reach this Prometheus, as they would on a cluster.

    Its endpoint lies in the pods' network, which the mesh maps to this sandbox's loopback.
    """
    address = network.address("prometheus").replace(f"127.{network.octet}.", "10.244.")
    # Port 80, because the mesh's HTTP proxy knows a name without its port only.
    port = {"name": "http", "port": 80, "targetPort": ports.PROMETHEUS, "protocol": "TCP"}
    metadata = {"name": NAME, "namespace": NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [port]}},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": metadata | {"labels": {"kubernetes.io/service-name": NAME}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
            "ports": [{"name": "http", "port": ports.PROMETHEUS, "protocol": "TCP"}],
        },
    ]


def configuration(layout: Layout, network: Network) -> dict:
    """Prometheus' configuration: the mesh's reports, both controllers, and annotated pods."""
    own = {
        "mesh": f"{network.address('relay')}:{METRICS_PORT}",
        "argo-rollouts": f"{network.address('argo-rollouts')}:{ports.ARGO_METRICS}",
        "flagger": f"{network.address('flagger')}:{ports.FLAGGER}",
    }
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in own.items()
    ]
    annotation = "__meta_kubernetes_pod_annotation_prometheus_io"
    pods = {
        "job_name": "pods",
        "kubernetes_sd_configs": [{"role": "pod", "kubeconfig_file": str(layout.kubeconfig)}],
        "relabel_configs": [
            {"action": "keep", "source_labels": [f"{annotation}_scrape"], "regex": "true"},
            {
                "source_labels": ["__meta_kubernetes_pod_ip", f"{annotation}_port"],
                "regex": r"10\.244\.(\d+\.\d+);(\d+)",
                "target_label": "__address__",
                "replacement": f"127.{network.octet}.$1:$2",
            },
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
        ],
    }
    seconds = f"{SCRAPE_SECONDS}s"
    return {
        "global": {"scrape_interval": seconds, "scrape_timeout": seconds},
        "scrape_configs": [*jobs, pods],
    }
