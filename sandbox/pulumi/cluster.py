"""The API server, for the provider: kinds by discovery, server-side apply, get, delete."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import kr8s
import yaml
from kr8s.asyncio import api as connect

from sandbox.errors import SandboxError
from sandbox.pulumi.objects import Object, identifier

MANAGER = "pulumi"
"""The field manager of everything applied here."""

# A kind is served a moment after its definition is established.
_DISCOVERY_ATTEMPTS = 8
_DISCOVERY_PAUSE_SECONDS = 0.5
# As client-go: a server that has just started refuses with 429 for a moment.
_BUSY_ATTEMPTS = 10
_BUSY_PAUSE_SECONDS = 1


class UnreachableError(SandboxError):
    """The API server does not answer."""


class UnknownKindError(SandboxError):
    """The API server serves no such kind."""


class RefusedError(SandboxError):
    """The API server's refusal: `code` is the HTTP status, `reason` its Kubernetes name."""

    def __init__(self, code: int, status: dict[str, Any]):
        self.code = code
        self.reason = str(status.get("reason", ""))
        super().__init__(_explain(status))


@dataclass(frozen=True)
class Kind:
    """A served kind: where its objects are."""

    version: str
    plural: str
    namespaced: bool

    def place(self, namespace: str | None, name: str = "") -> dict[str, Any]:
        url = f"{self.plural}/{name}" if name else self.plural
        return {
            "version": self.version,
            "namespace": namespace if self.namespaced else None,
            "url": url,
        }


class Cluster:
    """One API server. `namespace` is where namespaced objects without one belong."""

    def __init__(self, kubeconfig: str | None, context: str | None, namespace: str | None):
        self._kubeconfig = kubeconfig
        self._context = context
        self._given_namespace = namespace
        self._api: kr8s.asyncio.Api | None = None
        self._connecting = asyncio.Lock()
        self._kinds: dict[tuple[str, str], Kind] = {}

    async def kind(self, api_version: str, kind: str, patient: bool = False) -> Kind:
        """The served kind. Asks again on a miss, and when `patient` for some seconds: its
        definition may have been created a moment ago.
        """
        attempts = _DISCOVERY_ATTEMPTS if patient else 1
        for attempt in range(attempts):
            if (api_version, kind) not in self._kinds:
                await self._discover(api_version)
            if (api_version, kind) in self._kinds:
                return self._kinds[api_version, kind]
            if attempt + 1 < attempts:
                await asyncio.sleep(_DISCOVERY_PAUSE_SECONDS)
        raise UnknownKindError(
            f"the API server knows no kind {kind} in {api_version}. "
            "Check that its CustomResourceDefinition exists (or is created before it: depends_on)."
        )

    async def completed(self, obj: Object, patient: bool = False) -> tuple[Kind, Object]:
        """The object's kind, and the object with its namespace filled in."""
        kind = await self.kind(obj["apiVersion"], obj["kind"], patient)
        if not kind.namespaced:
            return kind, obj
        namespace = obj["metadata"].get("namespace") or await self.default_namespace()
        return kind, {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}

    async def apply(self, obj: Object, force: bool, dry_run: bool = False) -> Object:
        """Server-side apply as MANAGER; the object as it is then (or would be)."""
        kind, body = await self.completed(obj, patient=not dry_run)
        names = body["metadata"]
        options = {"fieldManager": MANAGER, "force": str(force).lower()}
        try:
            return await self._call(
                "PATCH",
                **kind.place(names.get("namespace"), names["name"]),
                content=json.dumps(body),
                headers={"Content-Type": "application/apply-patch+yaml"},
                params=options | ({"dryRun": "All"} if dry_run else {}),
            )
        except RefusedError as error:
            error.args = (f"{body['kind']} {identifier(body)}: {error}",)
            raise

    async def get(self, kind: Kind, namespace: str | None, name: str) -> Object | None:
        try:
            return await self._call("GET", **kind.place(namespace, name))
        except RefusedError as error:
            if error.code == httpx.codes.NOT_FOUND:
                return None
            raise

    async def list(self, kind: Kind, namespace: str | None, selector: str) -> list[Object]:
        found = await self._call("GET", **kind.place(namespace), params={"labelSelector": selector})
        return found["items"]

    async def delete(self, kind: Kind, namespace: str | None, name: str) -> None:
        """Ask for its deletion, its dependents first; no error when it is gone already."""
        try:
            await self._call(
                "DELETE",
                **kind.place(namespace, name),
                content=json.dumps({"propagationPolicy": "Foreground"}),
            )
        except RefusedError as error:
            if error.code != httpx.codes.NOT_FOUND:
                raise

    async def default_namespace(self) -> str:
        return self._given_namespace or (await self._connected()).auth.namespace

    async def _discover(self, api_version: str) -> None:
        try:
            served = await self._call("GET", version=api_version, url="")
        except RefusedError as error:
            if error.code == httpx.codes.NOT_FOUND:
                return
            raise
        for item in served["resources"]:
            if "/" not in item["name"]:
                self._kinds[api_version, item["kind"]] = Kind(
                    api_version, item["name"], item["namespaced"]
                )

    async def _call(self, method: str, **request: Any) -> dict[str, Any]:
        for _ in range(_BUSY_ATTEMPTS - 1):
            try:
                return await self._call_once(method, **request)
            except RefusedError as error:
                if error.code != httpx.codes.TOO_MANY_REQUESTS:
                    raise
            await asyncio.sleep(_BUSY_PAUSE_SECONDS)
        return await self._call_once(method, **request)

    async def _call_once(self, method: str, **request: Any) -> dict[str, Any]:
        api = await self._connected()
        try:
            async with api.call_api(method, **request) as response:
                return response.json()
        except kr8s.ServerError as error:
            raise _refusal(error) from error
        except (httpx.TransportError, kr8s.APITimeoutError) as error:
            raise _unreachable(error) from error

    async def _connected(self) -> kr8s.asyncio.Api:
        async with self._connecting:
            if self._api is None:
                try:
                    self._api = await connect(
                        kubeconfig=_config(self._kubeconfig),  # pyright: ignore[reportArgumentType]
                        context=self._context,
                    )
                except (ValueError, OSError) as error:
                    raise SandboxError(
                        f"the kubeconfig cannot be used: {error}. "
                        "Check KUBECONFIG, or the provider's kubeconfig and context."
                    ) from error
                except (httpx.TransportError, kr8s.APITimeoutError) as error:
                    raise _unreachable(error) from error
                except kr8s.ServerError as error:
                    raise _refusal(error) from error
            return self._api


def _config(kubeconfig: str | None) -> str | dict[str, Any] | None:
    """A path as it is, content as the mapping it holds."""
    if kubeconfig is None:
        return None
    if "\n" not in kubeconfig and Path(kubeconfig).expanduser().exists():
        return str(Path(kubeconfig).expanduser())
    content = yaml.safe_load(kubeconfig)
    if isinstance(content, dict):
        return content
    raise ValueError(f"{kubeconfig[:80]!r} is neither a file nor the content of one")


def _refusal(error: kr8s.ServerError) -> RefusedError:
    response = cast(httpx.Response, error.response)
    try:
        status = response.json()
    except ValueError:
        status = {"message": response.text or str(error)}
    return RefusedError(response.status_code, status)


def _unreachable(error: Exception) -> UnreachableError:
    return UnreachableError(
        f"the API server does not answer ({error or type(error).__name__}). Is the sandbox up?"
    )


def _explain(status: dict[str, Any]) -> str:
    message = str(status.get("message", "the API server refused without a reason"))
    causes = (status.get("details") or {}).get("causes") or []
    conflicts = [cause for cause in causes if cause.get("reason") == "FieldManagerConflict"]
    if not conflicts:
        return message
    fields = "; ".join(f"{cause['field']}: {cause['message']}" for cause in conflicts)
    return (
        f"another controller manages fields of this object ({fields}). Leave them to it with "
        "ignore_changes or by not setting them, or take them over with the annotation "
        '`pulumi.com/patchForce: "true"`.'
    )
