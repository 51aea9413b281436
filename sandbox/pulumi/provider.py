"""Stand-in for the plugin `pulumi-resource-kubernetes`: Kubernetes objects by server-side apply.

It serves the engine's ResourceProvider protocol for every kind the API server has, built-in
or custom. What it leaves to the real plugin (charts, YAML files, patches, most options) it
refuses by name. The engine starts it as `python -m sandbox.pulumi.provider ENGINE_ADDRESS`.
"""

# The method names and their arguments are the protocol's.
# ruff: noqa: N802, ARG002

import asyncio
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import grpc
import httpx
from google.protobuf.empty_pb2 import Empty  # pyright: ignore[reportAttributeAccessIssue]
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as pb

from sandbox.errors import SandboxError
from sandbox.pulumi import diff, ignoring, objects, paths, serving, waiting
from sandbox.pulumi.answers import InitFailedError, answered
from sandbox.pulumi.cluster import (
    MANAGER,
    Cluster,
    RefusedError,
    UnknownKindError,
    UnreachableError,
)
from sandbox.pulumi.objects import Object
from sandbox.pulumi.paths import Path
from sandbox.pulumi.properties import decode, encode, has_unknowns

# Understood here, or without effect on what is applied.
OPTIONS = {"kubeconfig", "context", "namespace", "clusterIdentifier", "version"}
_WITHOUT_EFFECT = "suppress"

# By whether the change replaces the object.
_DIFF_KINDS = {
    diff.Change.ADD: (pb.PropertyDiff.ADD, pb.PropertyDiff.ADD_REPLACE),
    diff.Change.DELETE: (pb.PropertyDiff.DELETE, pb.PropertyDiff.DELETE_REPLACE),
    diff.Change.UPDATE: (pb.PropertyDiff.UPDATE, pb.PropertyDiff.UPDATE_REPLACE),
}


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self, engine: engine_pb2_grpc.EngineStub):
        self._engine = engine
        self._cluster = Cluster(None, None, None)
        self._cancelled = asyncio.Event()

    # What the plugin is.

    async def Handshake(
        self, request: pb.ProviderHandshakeRequest, context: Any
    ) -> pb.ProviderHandshakeResponse:
        return pb.ProviderHandshakeResponse()

    async def GetPluginInfo(self, request: Empty, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=version("pulumi-kubernetes"))

    async def Cancel(self, request: Empty, context: Any) -> Empty:
        self._cancelled.set()
        return Empty()

    # The provider resource itself.

    async def CheckConfig(self, request: pb.CheckRequest, context: Any) -> pb.CheckResponse:
        return pb.CheckResponse(
            inputs=request.news,
            failures=[
                pb.CheckFailure(
                    property=name,
                    reason="the sandbox's stand-in for the Kubernetes provider does not have "
                    "this option; leave it out, or install Pulumi with its own plugin",
                )
                for name in decode(request.news)
                if name not in OPTIONS and not name.startswith(_WITHOUT_EFFECT)
            ],
        )

    async def DiffConfig(self, request: pb.DiffRequest, context: Any) -> pb.DiffResponse:
        old, new = decode(request.old_inputs), decode(request.news)
        changed = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
        return pb.DiffResponse(
            changes=_changes(changed),
            diffs=changed,
            # Everything else only says how to reach the same cluster.
            replaces=[key for key in changed if key == "clusterIdentifier"],
        )

    async def Configure(self, request: pb.ConfigureRequest, context: Any) -> pb.ConfigureResponse:
        given = decode(request.args)
        self._cluster = Cluster(
            given.get("kubeconfig"), given.get("context"), given.get("namespace")
        )
        return pb.ConfigureResponse(supportsPreview=True)

    # Resources.

    @answered
    async def Check(self, request: pb.CheckRequest, context: Any) -> pb.CheckResponse:
        inputs = objects.with_encoded_secret(decode(request.news))
        failures = [
            pb.CheckFailure(reason=reason) for reason in objects.unsupported(inputs, request.type)
        ]
        named = objects.named(inputs, decode(request.olds), request.name, request.randomSeed)
        return pb.CheckResponse(inputs=_safe(named), failures=failures)

    @answered
    async def Diff(self, request: pb.DiffRequest, context: Any) -> pb.DiffResponse:
        old, new = decode(request.old_inputs), decode(request.news)
        found = diff.differences(old, new, [paths.parse(text) for text in request.ignoreChanges])
        replaces = sorted({str(item.path[0]) for item in found if item.replaces})
        return pb.DiffResponse(
            changes=_changes(found),
            diffs=sorted({str(item.path[0]) for item in found}),
            replaces=replaces,
            deleteBeforeReplace=bool(replaces) and diff.replaced_in_place(old, new),
            hasDetailedDiff=True,
            detailedDiff={
                paths.render(item.path): pb.PropertyDiff(
                    kind=_DIFF_KINDS[item.change][item.replaces], inputDiff=True
                )
                for item in found
            },
        )

    @answered
    async def Create(self, request: pb.CreateRequest, context: Any) -> pb.CreateResponse:
        inputs = decode(request.properties)
        if request.preview:
            planned = await self._dry_run(inputs)
            outputs = inputs if planned is None else objects.forecast(planned)
            return pb.CreateResponse(properties=_safe(outputs))
        live = await self._ready(await self._applied(inputs, request), inputs, request)
        return pb.CreateResponse(id=objects.identifier(live), properties=_safe(objects.state(live)))

    @answered
    async def Update(self, request: pb.UpdateRequest, context: Any) -> pb.UpdateResponse:
        inputs = decode(request.news)
        ignored = [paths.parse(text) for text in request.ignoreChanges]
        if request.preview:
            planned = await self._dry_run(inputs, ignored)
            known = objects.overlaid(decode(request.olds), inputs)
            outputs = known if planned is None else objects.state(planned)
            return pb.UpdateResponse(properties=_safe(outputs))
        live = await self._applied(inputs, request, ignored)
        live = await self._ready(live, inputs, request)
        return pb.UpdateResponse(properties=_safe(objects.state(live)))

    @answered
    async def Delete(self, request: pb.DeleteRequest, context: Any) -> Empty:
        live = decode(request.properties)
        namespace, name = objects.split_identifier(request.id)
        try:
            kind = await self._cluster.kind(*objects.type_of(live))
        except UnknownKindError:
            # With its definition every object of a kind is gone.
            return Empty()
        await self._cluster.delete(kind, namespace, name)
        if not objects.is_set(live, objects.SKIP_AWAIT):
            await self._gone(live, request)
        return Empty()

    @answered
    async def Read(self, request: pb.ReadRequest, context: Any) -> pb.ReadResponse:
        known = decode(request.inputs) or decode(request.properties)
        namespace, name = objects.split_identifier(request.id)
        try:
            kind = await self._cluster.kind(*objects.kind_of(known, request.type))
        except UnknownKindError:
            return pb.ReadResponse()
        live = await self._cluster.get(kind, namespace, name)
        if live is None:
            return pb.ReadResponse()
        state = objects.state(live)
        inputs = objects.pruned(state, known) if known else state
        return pb.ReadResponse(id=request.id, properties=_safe(state), inputs=_safe(inputs))

    @answered
    async def Invoke(self, request: pb.InvokeRequest, context: Any) -> pb.InvokeResponse:
        raise SandboxError(
            "the sandbox's stand-in for the Kubernetes provider has no function "
            f"{request.tok}; install Pulumi with its own plugin for it"
        )

    async def _dry_run(self, inputs: Object, ignored: Sequence[Path] = ()) -> Object | None:
        """The object a preview's apply would give; None when the server cannot know yet:
        unknown values, no reachable server, a kind or namespace that this update creates.
        """
        if has_unknowns(inputs):
            return None
        try:
            body = await self._body(inputs, ignored)
            return await self._cluster.apply(body, _forced(inputs), dry_run=True)
        except (UnreachableError, UnknownKindError):
            return None
        except RefusedError as error:
            if error.code in (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND):
                return None
            raise

    async def _applied(self, inputs: Object, request: Any, ignored: Sequence[Path] = ()) -> Object:
        body = await self._body(inputs, ignored)
        live = await self._cluster.apply(body, _forced(inputs))
        if "deletionTimestamp" in objects.metadata(live):
            # Left over from a deletion that nobody waited for: its successor comes after it.
            await self._gone(live, request)
            live = await self._cluster.apply(body, _forced(inputs))
        return live

    async def _body(self, inputs: Object, ignored: Sequence[Path]) -> Object:
        """What to apply: the inputs less what other controllers manage of the ignored paths."""
        if not ignored:
            return inputs
        kind, named = await self._cluster.completed(inputs)
        names = objects.metadata(named)
        live = await self._cluster.get(kind, names.get("namespace"), names["name"])
        return ignoring.without_ignored(inputs, live, ignored, MANAGER) if live else inputs

    async def _gone(self, live: Object, request: Any) -> None:
        outcome = await waiting.until_gone(self._cluster, live, self._patience(live, request))
        if outcome.missing:
            raise SandboxError(
                f"{live['kind']} {objects.identifier(live)} is not gone: {outcome.missing}"
            )

    async def _ready(self, live: Object, inputs: Object, request: Any) -> Object:
        outcome = await waiting.until_ready(self._cluster, live, self._patience(live, request))
        if outcome.missing:
            identifier = objects.identifier(outcome.live)
            reason = f"{live['kind']} {identifier} is not ready: {outcome.missing}"
            raise InitFailedError(
                pb.ErrorResourceInitFailed(
                    id=identifier,
                    properties=_safe(objects.state(outcome.live)),
                    inputs=_safe(inputs),
                    reasons=[reason],
                )
            )
        return outcome.live

    def _patience(self, live: Object, request: Any) -> waiting.Patience:
        async def report(text: str) -> None:
            await self._engine.Log(
                engine_pb2.LogRequest(
                    severity=engine_pb2.INFO, message=text, urn=request.urn, ephemeral=True
                )
            )

        return waiting.Patience(waiting.seconds(live, request.timeout), report, self._cancelled)


def _safe(values: Object) -> Any:
    """On the wire, with a Secret's payload marked."""
    return encode(objects.with_secret_data(values))


def _forced(inputs: Object) -> bool:
    return objects.is_set(inputs, objects.PATCH_FORCE)


def _changes(found: Sequence[Any]) -> pb.DiffResponse.DiffChanges.ValueType:
    return pb.DiffResponse.DIFF_SOME if found else pb.DiffResponse.DIFF_NONE


async def serve(engine_address: str) -> None:
    """Serve until the engine ends the plugin, or ends itself."""
    lifetime = serving.Lifetime()
    engine = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(engine_address))
    server = grpc.aio.server(options=serving.OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(engine), server)
    port = server.add_insecure_port(serving.ADDRESS)
    await server.start()
    await asyncio.to_thread(lifetime.serve, port)
    await server.stop(grace=None)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[-1]))
