"""Follows one release until it ends: polls the controller's object and the judge's verdict."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import kr8s
from kr8s.asyncio import Api

from cli.demo import observe
from cli.demo.observe import Conditions, Snapshot
from cli.demo.target import Target

NAMESPACE = "shop"
POLL_SECONDS = 0.5
Verdict = dict[str, Any]
Look = Callable[["Watched", Snapshot, Verdict | None], None]


@dataclass
class Watched:
    """A release being followed. Times are seconds since it was declared."""

    service: str
    controller: str
    tag: str
    expected: str
    declared: float = field(default_factory=time.monotonic)
    before: Conditions | None = None
    first_traffic: float | None = None
    first_fail: float | None = None
    ended: float | None = None
    outcome: str | None = None
    verdict: Verdict | None = None
    under_way: asyncio.Event = field(default_factory=asyncio.Event)  # it has traffic, or ended

    def elapsed(self) -> float:
        return time.monotonic() - self.declared


async def conditions(api: Api, service: str, controller: str) -> Conditions | None:
    """The conditions of Flagger's Canary, to tell the coming release from the one before."""
    if controller == "argo":
        return None
    found = await _get(api, "flagger.app/v1beta1", "canaries", service)
    return observe.conditions(found) if found else None


async def follow(target: Target, api: Api, watched: Watched, look: Look, seconds: float) -> None:
    """Until the release ends or `seconds` have passed (then `outcome` stays None)."""
    while watched.outcome is None and watched.elapsed() < seconds:
        try:
            snapshot, verdict = await _look(target, api, watched)
        except (httpx.HTTPError, kr8s.APITimeoutError, kr8s.ServerError):
            # The API server is away or still starting; the release goes on without us.
            snapshot, verdict = None, None
        if snapshot:
            now = watched.elapsed()
            if snapshot.weight > 0 and watched.first_traffic is None:
                watched.first_traffic = now
            if snapshot.outcome:
                watched.outcome, watched.ended = snapshot.outcome, now
            if watched.first_traffic is not None or watched.outcome:
                watched.under_way.set()
            # A verdict about another version is about another release.
            if verdict and watched.tag in verdict.get("version", ""):
                watched.verdict = verdict
                if verdict["verdict"] == "fail" and watched.first_fail is None:
                    watched.first_fail = now
            look(watched, snapshot, watched.verdict)
        await asyncio.sleep(POLL_SECONDS)
    watched.under_way.set()


async def _look(
    target: Target, api: Api, watched: Watched
) -> tuple[Snapshot | None, Verdict | None]:
    if watched.controller == "argo":
        found = await _get(api, "argoproj.io/v1alpha1", "rollouts", watched.service)
        snapshot = observe.rollout(found) if found else None
        run = await _newest_analysis_run(api, watched.service) if found else None
        question = observe.rollout_question(run) if run else None
    else:
        found = await _get(api, "flagger.app/v1beta1", "canaries", watched.service)
        snapshot = observe.canary(found, watched.before) if found else None
        question = observe.canary_question(found) if found else None
    # Before it has traffic there is nothing to ask about.
    if question is None or snapshot is None or not (snapshot.weight or snapshot.outcome):
        return snapshot, None
    return snapshot, await target.ask_judge(api, question)


async def _newest_analysis_run(api: Api, service: str) -> dict[str, Any] | None:
    async with api.call_api(
        "GET", version="argoproj.io/v1alpha1", namespace=NAMESPACE, url="analysisruns"
    ) as response:
        runs = response.json()["items"]
    own = [
        run
        for run in runs
        if any(owner["name"] == service for owner in run["metadata"].get("ownerReferences", []))
    ]
    return max(own, key=lambda run: run["metadata"]["creationTimestamp"], default=None)


async def _get(api: Api, version: str, plural: str, name: str) -> dict[str, Any] | None:
    async with api.call_api(
        "GET",
        version=version,
        namespace=NAMESPACE,
        url=f"{plural}/{name}",
        raise_for_status=False,
    ) as response:
        return response.json() if response.is_success else None
