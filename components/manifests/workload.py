"""A service's pods: the template and its version."""

import hashlib
import json
import re

from components import conventions
from components.manifests import pods
from components.manifests.manifest import Body
from components.spec import image
from components.spec.service import ServiceSpec


def version(spec: ServiceSpec) -> str:
    """The name of this release: its image tag and a hash over all else in its pods.

    The same tag with another environment is another version. Istio reports it as
    `destination_version`, which is how the judge tells a canary from the stable version.
    """
    text = json.dumps(_unversioned(spec), sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return version_label(image.release(spec.image), digest)


def version_label(tag: str, digest: str) -> str:
    """Join them to a label value: 63 characters, beginning with a letter or a digit."""
    start = re.sub(r"^[^A-Za-z0-9]+", "", tag) or "0"
    return f"{start[: 62 - len(digest)]}-{digest}"


def pod_template(spec: ServiceSpec) -> Body:
    """The pod template, labelled with its version."""
    template = _unversioned(spec)
    template["metadata"]["labels"][conventions.VERSION] = version(spec)
    return template


def fixed_replicas(spec: ServiceSpec) -> Body:
    """The number of pods, unless an autoscaler has the say: `up` would overrule it each time."""
    return {} if spec.replicas.autoscaled else {"replicas": spec.replicas.min}


def _unversioned(spec: ServiceSpec) -> Body:
    requests = {"cpu": spec.resources.cpu, "memory": spec.resources.memory}
    container = pods.container(spec.name, spec.image, spec.port, spec.env, requests)
    container |= pods.probes(spec.probes.liveness, spec.probes.readiness)
    return {
        "metadata": {
            "labels": conventions.labels(spec.name),
            "annotations": pods.scraped(spec.port),
        },
        "spec": pods.pod(spec.name, container),
    }
