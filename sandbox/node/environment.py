"""A container's environment: what its specification asks for, and what the sandbox adds."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.layout import ROOT
from sandbox.mesh.names import PROXY_PORT
from sandbox.network import HOSTS, Network

# ("configmaps" | "secrets", name) → its data; None when the object does not exist.
Sources = Mapping[tuple[str, str], Mapping[str, str] | None]

_REFERENCE = re.compile(r"\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")
_SUBSCRIPT = re.compile(r"^metadata\.(labels|annotations)\['([^']+)'\]$")


class EnvironmentFault(Exception):  # noqa: N818  kubelet's CreateContainerConfigError
    """The environment cannot be made; the message names the variable and what is missing."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Kubernetes' `$(NAME)` expansion: unknown names stay as they are, `$$` is one `$`."""

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])

    return _REFERENCE.sub(value, text)


def base(network: Network, pod: str, pod_ip: str, home: Path) -> dict[str, str]:
    """What every container gets: the clone's Python, its own address, the mesh as proxy.

    HOST is the loopback address that the process must bind: it is where this pod answers.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "HOME": str(home),
        "HOSTNAME": pod,
        "HOST": network.loopback(pod_ip),
        # In-cluster names are resolved by the mesh; the sandbox's own parts are not in it.
        "HTTP_PROXY": network.url("proxy", PROXY_PORT),
        "NO_PROXY": ",".join(network.address(host) for host in HOSTS),
    }


def sources(container: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The ConfigMaps and Secrets that the container's environment refers to."""
    return {(kind, reference["name"]) for kind, reference in _references(container)}


def resolve(
    container: Mapping[str, Any],
    pod: Mapping[str, Any],
    found: Sources,
    given: Mapping[str, str],
) -> dict[str, str]:
    """The container's whole environment: `given`, then envFrom, then env, later ones winning.

    `pod` is the pod with its podIP and hostIP in status. Raises EnvironmentFault.
    """
    result = dict(given)
    for entry in container.get("envFrom", ()):
        for kind, reference in _sources_of(entry):
            data = _data(kind, reference, found, f"envFrom of container {container['name']}")
            prefix = entry.get("prefix", "")
            result |= {prefix + key: value for key, value in (data or {}).items()}
    for entry in container.get("env", ()):
        name = entry["name"]
        if "valueFrom" in entry:
            value = _value_from(name, entry["valueFrom"], container, pod, found)
            if value is not None:
                result[name] = value
        else:
            result[name] = expand(entry.get("value", ""), result)
    return result


def _value_from(
    name: str,
    source: Mapping[str, Any],
    container: Mapping[str, Any],
    pod: Mapping[str, Any],
    found: Sources,
) -> str | None:
    if "fieldRef" in source:
        return _field(name, source["fieldRef"]["fieldPath"], pod)
    if "resourceFieldRef" in source:
        return _resource(name, source["resourceFieldRef"]["resource"], container)
    for kind, reference in _sources_of(source):
        data = _data(kind, reference, found, f"variable {name}")
        key = reference["key"]
        if data is not None and key in data:
            return data[key]
        if reference.get("optional"):
            return None
        raise EnvironmentFault(f"variable {name}: {kind} {reference['name']} has no key {key}")
    raise EnvironmentFault(f"variable {name}: valueFrom {', '.join(source)} is not supported here")


def _data(
    kind: str, reference: Mapping[str, Any], found: Sources, user: str
) -> Mapping[str, str] | None:
    data = found[kind, reference["name"]]
    if data is None and not reference.get("optional"):
        raise EnvironmentFault(f"{user}: {kind} {reference['name']} does not exist")
    return data


def _field(name: str, path: str, pod: Mapping[str, Any]) -> str:
    metadata, spec, status = pod["metadata"], pod["spec"], pod["status"]
    if subscript := _SUBSCRIPT.match(path):
        return metadata.get(subscript[1], {}).get(subscript[2], "")
    fields = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.podIP": status["podIP"],
        "status.podIPs": status["podIP"],
        "status.hostIP": status["hostIP"],
        "status.hostIPs": status["hostIP"],
    }
    if path not in fields:
        raise EnvironmentFault(f"variable {name}: fieldPath {path} is not supported here")
    return fields[path]


def _resource(name: str, resource: str, container: Mapping[str, Any]) -> str:
    group, _, key = resource.partition(".")
    amount = container.get("resources", {}).get(group, {}).get(key)
    if amount is None:
        raise EnvironmentFault(f"variable {name}: the container sets no resource {resource}")
    return str(amount)


def _references(container: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for entry in container.get("envFrom", ()):
        yield from _sources_of(entry)
    for entry in container.get("env", ()):
        yield from _sources_of(entry.get("valueFrom", {}))


def _sources_of(entry: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The references of one envFrom entry or valueFrom, with the collection they point into."""
    for field, kind in (
        ("configMapRef", "configmaps"),
        ("configMapKeyRef", "configmaps"),
        ("secretRef", "secrets"),
        ("secretKeyRef", "secrets"),
    ):
        if field in entry:
            yield kind, entry[field]
