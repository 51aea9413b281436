"""Prometheus, scraping every two seconds what a cluster's Prometheus scrapes every fifteen."""

import json
from pathlib import Path
from typing import Any

from sandbox import ports
from sandbox.cluster import Manifest
from sandbox.layout import KUBELET_PORT, Layout
from sandbox.mesh.names import METRICS_PORT
from sandbox.network import Network
from sandbox.node import cadvisor
from sandbox.node.apiserver import NODE
from sandbox.process import Process, http_ready

NAME, NAMESPACE = "prometheus", "monitoring"
SCRAPE_SECONDS = 2


def process(layout: Layout, network: Network) -> Process:
    """Prometheus with its configuration; data older than a day is dropped."""
    folder = layout.sandbox / "prometheus"
    file = folder / "prometheus.yaml"
    address = network.address("prometheus")
    return Process(
        name="prometheus",
        argv=[
            str(layout.binaries / "prometheus"),
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=1d",
            "--web.enable-lifecycle",  # it is told when rules have changed
            f"--web.listen-address={address}:{ports.PROMETHEUS}",
            "--log.level=warn",
        ],
        # JSON is YAML; nothing has to be quoted by hand.
        files={file: json.dumps(configuration(layout, network), indent=1)},
        listens=[(address, ports.PROMETHEUS)],
        ready=http_ready(f"{url(network)}/-/ready"),
    )


def url(network: Network) -> str:
    return network.url("prometheus", ports.PROMETHEUS)


def rule_folder(layout: Layout) -> Path:
    """Every file in it is evaluated."""
    return layout.sandbox / "prometheus" / "rules"


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


def configuration(layout: Layout, network: Network) -> dict[str, Any]:
    """Prometheus' configuration: the mesh's reports, both controllers, the state of the pods,
    the node's cAdvisor, and annotated pods.
    """
    own = {
        "mesh": f"{network.address('relay')}:{METRICS_PORT}",
        "argo-rollouts": f"{network.address('argo-rollouts')}:{ports.ARGO_METRICS}",
        "flagger": f"{network.address('flagger')}:{ports.FLAGGER}",
    }
    jobs = [_job(job, target) for job, target in own.items()]
    seconds = f"{SCRAPE_SECONDS}s"
    return {
        "global": {
            "scrape_interval": seconds,
            "scrape_timeout": seconds,
            "evaluation_interval": seconds,
        },
        "rule_files": [str(rule_folder(layout) / "*.yaml")],
        "scrape_configs": [*jobs, *_about_pods(network), _pods(layout, network)],
    }


def _job(name: str, target: str, **labels: str) -> dict[str, Any]:
    return {"job_name": name, "static_configs": [{"targets": [target], "labels": labels}]}


def _about_pods(network: Network) -> list[dict[str, Any]]:
    """Those whose metrics name the pod they are about: these labels are kept, as everywhere."""
    state = f"{network.address('kube-state-metrics')}:{ports.KUBE_STATE_METRICS}"
    kubelet = f"{network.address('node')}:{KUBELET_PORT}"
    # As in the kube-prometheus stack, whose rules select by these two.
    cadvisor_job = _job("kubelet", kubelet, metrics_path=cadvisor.PATH, node=NODE)
    return [
        _job("kube-state-metrics", state) | {"honor_labels": True},
        cadvisor_job | {"honor_labels": True, "metrics_path": cadvisor.PATH},
    ]


def _pods(layout: Layout, network: Network) -> dict[str, Any]:
    """Annotated pods, with the labels that a PodMonitor gives whose podTargetLabels are `app`
    and `version`.
    """
    pod = "__meta_kubernetes_pod"
    annotation = f"{pod}_annotation_prometheus_io"
    copied = {
        "namespace": "__meta_kubernetes_namespace",
        "pod": f"{pod}_name",
        "app": f"{pod}_label_app",
        "version": f"{pod}_label_version",
    }
    return {
        "job_name": "pods",
        "kubernetes_sd_configs": [{"role": "pod", "kubeconfig_file": str(layout.kubeconfig)}],
        "relabel_configs": [
            {"action": "keep", "source_labels": [f"{annotation}_scrape"], "regex": "true"},
            # The address of a pod that is over may be another's by now.
            {"action": "drop", "source_labels": [f"{pod}_phase"], "regex": "Succeeded|Failed"},
            {
                "source_labels": [f"{pod}_ip", f"{annotation}_port"],
                "regex": r"10\.244\.(\d+\.\d+);(\d+)",
                "target_label": "__address__",
                "replacement": f"127.{network.octet}.$1:$2",
            },
            *({"source_labels": [source], "target_label": to} for to, source in copied.items()),
        ],
    }
