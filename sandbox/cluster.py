"""Puts objects on the sandbox's API server: CRDs, namespaces, the ingress Gateway."""

import asyncio
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import kr8s
import yaml
from kr8s.asyncio import Api

from sandbox.errors import SandboxError

Manifest = dict[str, Any]

FIELD_MANAGER = "sluice-sandbox"
APPLIED = {"name": "sandbox-crds", "namespace": "kube-system"}
PARALLEL = 6
ESTABLISHED_SECONDS = 120
READABLE_SECONDS = 120
# Whose objects the controllers, the demo and the tests read.
READ_GROUPS = ("argoproj.io/v1alpha1", "flagger.app/v1beta1", "networking.istio.io/v1")


async def connect(kubeconfig: Path) -> Api:
    return await kr8s.asyncio.api(kubeconfig=str(kubeconfig))


async def apply(api: Api, manifest: Manifest) -> None:
    """Server-side apply of one object. Raises SandboxError with the API server's reason."""
    kind, version = manifest["kind"], manifest["apiVersion"]
    _, plural, namespaced = await api.lookup_kind(f"{kind}.{version}")
    metadata = manifest["metadata"]
    async with api.call_api(
        "PATCH",
        version=version,
        namespace=metadata["namespace"] if namespaced else None,
        url=f"{plural.partition('.')[0]}/{metadata['name']}",
        params={"fieldManager": FIELD_MANAGER, "force": "true"},
        headers={"Content-Type": "application/apply-patch+yaml"},
        content=json.dumps(manifest),
        raise_for_status=False,
    ) as response:
        if response.is_error:
            reason = response.json().get("message", response.text)
            raise SandboxError(f"The API server refused {kind} {metadata['name']}: {reason}")


async def apply_crds(api: Api, folder: Path) -> bool:
    """Apply every CRD of the folder and wait until all are served; True when any was new.

    The digest of what was applied is kept in the cluster itself, so a second start skips the
    megabytes, and a cluster that was wiped gets them again.
    """
    texts = [path.read_text() for path in sorted(folder.glob("*.yaml"))]
    digest = hashlib.sha256("".join(texts).encode()).hexdigest()
    if await _applied_digest(api) == digest:
        return False
    crds = [crd for text in texts for crd in _crds(text)]
    gate = asyncio.Semaphore(PARALLEL)

    async def one(crd: Manifest) -> None:
        async with gate:
            await apply(api, crd)

    await asyncio.gather(*(one(crd) for crd in crds))
    await _wait_established(api, {crd["metadata"]["name"] for crd in crds})
    record = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": APPLIED}
    await apply(api, {**record, "data": {"digest": digest}})
    return True


async def wait_readable(api: Api) -> None:
    """Until the objects of every kind can be read. A started API server fills the cache of a
    custom kind only when it is first asked for, and answers 429 until then; healthy it calls
    itself before.
    """
    deadline = asyncio.get_running_loop().time() + READABLE_SECONDS

    async def readable(version: str, plural: str) -> None:
        while True:
            async with api.call_api(
                "GET", version=version, url=plural, params={"limit": "1"}, raise_for_status=False
            ) as response:
                if response.is_success:
                    return
            if asyncio.get_running_loop().time() > deadline:
                reason = response.json().get("message", response.text)
                raise SandboxError(f"The API server cannot read {plural}: {reason}")
            await asyncio.sleep(0.2)

    for version in READ_GROUPS:
        async with api.call_api("GET", version=version, url="") as response:
            names = [kind["name"] for kind in response.json()["resources"]]
        kinds = (name for name in names if "/" not in name)  # no subresources
        await asyncio.gather(*(readable(version, plural) for plural in kinds))


def namespace(name: str) -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


class _Loader(yaml.CSafeLoader):  # C reads these megabytes ten times faster
    """YAML as Kubernetes reads it: a bare `=` is a string (it is, in Prometheus' CRDs)."""


_Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)


def _crds(text: str) -> Iterable[Manifest]:
    documents = yaml.load_all(text, Loader=_Loader)
    return (crd for crd in documents if crd and crd["kind"] == "CustomResourceDefinition")


async def _applied_digest(api: Api) -> str | None:
    async with api.call_api(
        "GET",
        version="v1",
        namespace=APPLIED["namespace"],
        url=f"configmaps/{APPLIED['name']}",
        raise_for_status=False,
    ) as response:
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        response.raise_for_status()
        return response.json()["data"]["digest"]


async def _wait_established(api: Api, names: set[str]) -> None:
    deadline = asyncio.get_running_loop().time() + ESTABLISHED_SECONDS
    waiting = names
    while waiting:
        if asyncio.get_running_loop().time() > deadline:
            raise SandboxError(f"These CRDs are still not served: {', '.join(sorted(waiting))}.")
        async with api.call_api(
            "GET", version="apiextensions.k8s.io/v1", url="customresourcedefinitions"
        ) as response:
            served = {
                item["metadata"]["name"]
                for item in response.json()["items"]
                for condition in item.get("status", {}).get("conditions") or []
                if condition["type"] == "Established" and condition["status"] == "True"
            }
        waiting = names - served
        await asyncio.sleep(0.2)
