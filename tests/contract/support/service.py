"""A service under test, released as on any cluster: by the components' own manifests."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cli.demo import observe
from cli.demo.observe import Conditions, Snapshot
from components.manifests import platform, service
from components.manifests.manifest import Manifest
from components.spec.service import resolve
from components.spec.site import Site
from tests.contract.support.system import (
    ANALYSIS_RUN,
    CANARY,
    DEPLOYMENT,
    NAMESPACE,
    ROLLOUT,
    VIRTUAL_SERVICE,
    Object,
    Objects,
    until,
)

# One error in twenty: a hundred canary requests without one are enough to pass a stage.
SLO = {"availability": 95.0}
# What a new image changes. The rest belongs to the controllers once it is there.
OF_A_RELEASE = ("AnalysisTemplate", "Rollout", "Deployment", "Canary")


def stages(*weights: int, seconds: int = 600) -> list[dict[str, Any]]:
    return [{"weight": weight, "time": f"{seconds}s"} for weight in weights]


class Service:
    """One service in the namespace `namespace`; its first release has no judgement.

    `adapt` changes the component's objects in place: for what it does not make (yet). `settings`
    are further keys of the stack file.
    """

    slo: Mapping[str, Any] = SLO

    def __init__(
        self,
        objects: Objects,
        name: str,
        namespace: str,
        controller: str,
        adapt: Callable[[Object], None] = lambda _: None,
        *,
        settings: Mapping[str, Any] | None = None,
    ):
        self._objects, self._adapt = objects, adapt
        self.settings = dict(settings or {})
        self.name, self.namespace, self.controller = name, namespace, controller
        self.host = f"{name}.{namespace}.test"
        self._deployed = False
        self._before: Conditions | None = None

    async def release(
        self,
        tag: str,
        stages: Sequence[dict[str, Any]] = (),
        policy: Mapping[str, Any] | None = None,
        **env: str,
    ) -> None:
        """Declare version `tag` of the demo app, which behaves as `env` says."""
        if self.controller == "flagger" and self._deployed:
            self._before = observe.conditions(await self.canary())
        manifests = self.manifests(tag, stages, policy, **env)
        if not self._deployed:
            await self._objects.apply(*platform.namespaces(self.namespace))
            await self._objects.apply(*sorted(manifests, key=lambda manifest: manifest.wave))
            self._deployed = True
            return
        for manifest in manifests:
            if manifest.kind in OF_A_RELEASE:
                await self._objects.apply(_left_alone(manifest))

    def manifests(
        self,
        tag: str,
        stages: Sequence[dict[str, Any]] = (),
        policy: Mapping[str, Any] | None = None,
        **env: str,
    ) -> list[Manifest]:
        site = Site.model_validate(
            {
                "controller": self.controller,
                "namespace": self.namespace,
                "domain": f"{self.namespace}.test",
                "gateway": "istio-system/ingress",
                "analysisInterval": "1s",
                "stages": list(stages) or [{"weight": 50, "time": "1m"}],
                **self.settings,
            }
        )
        args = {
            "image": f"sluice/demo-app:{tag}",
            "slo": self.slo,
            "env": {"VERSION": tag, **env},
            "replicas": {"min": 1},
            "policy": dict(policy or {}),
        }
        made = service.objects(resolve(self.name, args, site))
        for manifest in made:
            self._adapt(manifest.body)
        return made

    async def delete(self) -> None:
        """Take its whole namespace away. The Canary goes first: it hands the service back to the
        Deployment, and waits for ever for one that is gone.
        """
        if self.controller == "flagger":
            await self.leave_flagger()
        await self._objects.delete(NAMESPACE, None, self.namespace)

    async def leave_flagger(self) -> None:
        """Delete the Canary; done when Flagger has let go, also when it had before."""

        async def left() -> list[Object]:
            canaries = await self._objects.list(CANARY, self.namespace)
            return [found for found in canaries if found["metadata"]["name"] == self.name]

        if await left():
            await self._objects.delete(CANARY, self.namespace, self.name)
        await until(left, lambda found: not found, f"Flagger lets go of {self.name}")

    async def deployment(self) -> Object:
        return await self._objects.get(DEPLOYMENT, self.namespace, self.name)

    async def rollout(self) -> Object:
        return await self._objects.get(ROLLOUT, self.namespace, self.name)

    async def canary(self) -> Object:
        return await self._objects.get(CANARY, self.namespace, self.name)

    async def snapshot(self) -> Snapshot:
        """Phase, weight and outcome of the release as the controller has them."""
        if self.controller == "argo":
            return observe.rollout(await self.rollout())
        return observe.canary(await self.canary(), self._before)

    async def ended(self) -> Snapshot:
        """The release once it has an outcome."""
        return await until(
            self.snapshot, lambda found: found.outcome, f"the release of {self.name} ends"
        )

    async def ends(self, outcome: str) -> Snapshot:
        """The release once it has this outcome, whatever is left of the one before: Argo shows its
        pause for a moment longer.
        """
        return await until(
            self.snapshot,
            lambda found: found.outcome == outcome,
            f"the release of {self.name} is {outcome}",
        )

    async def reached(self, weight: int) -> Snapshot:
        return await until(
            self.snapshot,
            lambda found: found.weight == weight,
            f"the canary of {self.name} gets {weight} %",
        )

    async def routed(self) -> int:
        """The canary's weight in the route, which is what the traffic follows."""
        found = await self._objects.get(VIRTUAL_SERVICE, self.namespace, self.name)
        weights = {
            route["destination"]["host"]: route.get("weight", 0)
            for route in found["spec"]["http"][0]["route"]
        }
        return weights.get(f"{self.name}-canary", 0)

    async def route(self, weight: int) -> None:
        """Edit the route by hand: so many percent to the canary."""
        found = await self._objects.get(VIRTUAL_SERVICE, self.namespace, self.name)
        http = found["spec"]["http"]
        for route in http[0]["route"]:
            canary = route["destination"]["host"] == f"{self.name}-canary"
            route["weight"] = weight if canary else 100 - weight
        change = {"spec": {"http": http}}
        await self._objects.patch(VIRTUAL_SERVICE, self.namespace, self.name, change)

    async def set_status(self, **change: Any) -> None:
        """Change what the controller believes of the release, as its own tools do."""
        kind = ROLLOUT if self.controller == "argo" else CANARY
        await self._objects.patch(kind, self.namespace, f"{self.name}/status", {"status": change})

    async def question(self) -> Object:
        """What Flagger asks the judge about this release, whichever hook asks."""
        hooks = (await self.canary())["spec"]["analysis"]["webhooks"]
        [text] = {hook["metadata"]["request"] for hook in hooks}
        return json.loads(text)

    async def analysis_runs(self) -> list[Object]:
        """Argo's analysis runs of this release, oldest first."""
        current = (await self.rollout())["status"]["currentPodHash"]
        runs = await self._objects.list(
            ANALYSIS_RUN, self.namespace, **{"rollouts-pod-template-hash": current}
        )
        return sorted(runs, key=_when)

    async def measurements(self) -> list[Object]:
        """The measurements of this release's newest analysis run, oldest first."""
        runs = await self.analysis_runs()
        return result(runs[-1]).get("measurements", []) if runs else []


def result(analysis_run: Object) -> Object:
    """What Argo keeps of the run's only metric; empty before the first measurement."""
    results = analysis_run.get("status", {}).get("metricResults", [{}])
    assert len(results) == 1
    return results[0]


def arguments(analysis_run: Object) -> dict[str, str]:
    """What Argo puts into the question."""
    return {arg["name"]: arg["value"] for arg in analysis_run["spec"]["args"]}


def verdicts(measurements: Sequence[Object]) -> list[Object]:
    """The judge's answers that Argo stored; an Error has none."""
    return [json.loads(found["value"]) for found in measurements if found.get("value")]


def _left_alone(manifest: Manifest) -> Object:
    """The object without the fields that its controller sets."""
    body = json.loads(json.dumps(manifest.body))
    for path in manifest.controlled:
        *parents, last = path.split(".")
        node = body
        for parent in parents:
            node = node[parent]
        node.pop(last, None)
    return body


def _when(analysis_run: Object) -> tuple[str, int]:
    """Its place among the runs of a release: a retry begins with the first step again."""
    metadata = analysis_run["metadata"]
    return metadata["creationTimestamp"], int(metadata["labels"]["step-index"])
