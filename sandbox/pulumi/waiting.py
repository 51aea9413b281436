"""Waiting until an object is ready, or gone."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from sandbox.pulumi import objects, readiness
from sandbox.pulumi.cluster import Cluster
from sandbox.pulumi.objects import Object

DEFAULT_SECONDS = 600.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 1.0
# What takes no longer is nothing to tell a person about.
_QUIET_SECONDS = 2.0

Report = Callable[[str], Awaitable[None]]
"""Shows a person what is waited for."""


@dataclass(frozen=True)
class Patience:
    """How long to wait, whom to tell, and what ends the wait early."""

    seconds: float
    report: Report
    cancelled: asyncio.Event


@dataclass(frozen=True)
class Outcome:
    """How a wait ended: the object as last seen, and why it is not ready (None: it is)."""

    live: Object
    missing: str | None


async def until_ready(cluster: Cluster, live: Object, patience: Patience) -> Outcome:
    """Wait for the kinds the real provider waits for; every other is ready at once."""
    what = objects.type_of(live)
    if (what != readiness.SERVICE and what not in readiness.CHECKED_ALONE) or objects.is_set(
        live, objects.SKIP_AWAIT
    ):
        return Outcome(live, None)
    kind = await cluster.kind(*what)
    names = objects.metadata(live)

    async def look() -> Outcome:
        now = await cluster.get(kind, names.get("namespace"), names["name"])
        if now is None:
            return Outcome(live, "it was deleted meanwhile")
        return Outcome(now, await _missing(cluster, now))

    return await _poll(look, patience)


async def until_gone(cluster: Cluster, live: Object, patience: Patience) -> Outcome:
    """Wait until the object does not exist; another one of its name counts as gone."""
    kind = await cluster.kind(*objects.type_of(live))
    names = objects.metadata(live)

    async def look() -> Outcome:
        now = await cluster.get(kind, names.get("namespace"), names["name"])
        if now is None or objects.metadata(now)["uid"] != names["uid"]:
            return Outcome(live, None)
        finalizers = ", ".join(objects.metadata(now).get("finalizers", []))
        return Outcome(now, f"it is being deleted (finalizers: {finalizers or 'none'})")

    return await _poll(look, patience)


def seconds(live: Object, given: float) -> float:
    """The time to wait: customTimeouts, else the annotation, else ten minutes."""
    if given:
        return given
    return float(objects.annotation(live, objects.TIMEOUT_SECONDS) or DEFAULT_SECONDS)


async def _poll(look: Callable[[], Awaitable[Outcome]], patience: Patience) -> Outcome:
    begin, pause, said = time.monotonic(), _FIRST_PAUSE_SECONDS, None
    while True:
        outcome = await look()
        if outcome.missing is None:
            return outcome
        if patience.cancelled.is_set():
            return Outcome(outcome.live, f"cancelled; {outcome.missing}")
        waited = time.monotonic() - begin
        if waited > patience.seconds:
            return Outcome(outcome.live, f"after {patience.seconds:g} s {outcome.missing}")
        if waited > _QUIET_SECONDS and outcome.missing != said:
            said = outcome.missing
            await patience.report(f"waiting: {said}")
        with suppress(TimeoutError):
            await asyncio.wait_for(patience.cancelled.wait(), pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)


async def _missing(cluster: Cluster, live: Object) -> str | None:
    names = objects.metadata(live)
    if objects.type_of(live) == readiness.SERVICE:
        slices = await cluster.kind("discovery.k8s.io/v1", "EndpointSlice")
        selector = f"kubernetes.io/service-name={names['name']}"
        return readiness.service(live, await cluster.list(slices, names["namespace"], selector))
    missing = readiness.CHECKED_ALONE[objects.type_of(live)](live)
    if missing is None or objects.type_of(live) != readiness.DEPLOYMENT:
        return missing
    labels = live["spec"]["selector"].get("matchLabels", {})
    pods = await cluster.list(
        await cluster.kind("v1", "Pod"),
        names["namespace"],
        ",".join(f"{key}={value}" for key, value in labels.items()),
    )
    return "; ".join([missing, *readiness.pod_troubles(pods)])
