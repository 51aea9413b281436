"""The demo from start to end."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

from kr8s.asyncio import Api

from cli.demo import report, watch
from cli.demo.observe import Snapshot
from cli.demo.report import Result
from cli.demo.stack import Stack
from cli.demo.story import (
    DEPENDENCY,
    FIRST,
    INCIDENT_ENV,
    INCIDENT_SECONDS,
    RELEASES,
    SERVICES,
    Release,
)
from cli.demo.target import Target
from cli.demo.watch import Verdict, Watched

MOST_SECONDS = 420
QUIET_SECONDS = 10  # a timeline line at least this often
SETTLE_SECONDS = 5
DEPENDENCY_TAG = "1.0.0"
Show = Callable[[str], None]


class Demo:
    """One run: the target cluster, the stack on it, and what callers have seen."""

    def __init__(
        self, target: Target, stack: Stack, seen: Callable[[], dict[str, int]], show: Show
    ):
        """`seen` counts the requests that callers saw fail so far, by service."""
        self._target, self._stack, self._seen, self._show = target, stack, seen, show

    async def first(self) -> None:
        """Deploy both services for the first time; no judgement, there is nothing to compare."""
        api = await self._target.api()
        await self._release(api, FIRST)

    async def releases(self) -> list[Result]:
        """Every release of the story, one after the other, both services at once."""
        api = await self._target.api()
        results: list[Result] = []
        for release in RELEASES:
            self._show(f"\n── {release.tag}: {release.title}; should be {release.expected}")
            before = self._seen()
            watched = await self._release(api, release)
            after = self._seen()
            results += [
                report.result(found, release, after[found.service] - before[found.service])
                for found in watched
            ]
        return results

    async def _release(self, api: Api, release: Release) -> list[Watched]:
        watched = [
            Watched(
                service,
                controller,
                release.tag,
                release.expected,
                before=await watch.conditions(api, service, controller),
            )
            for service, controller in SERVICES.items()
        ]
        await self._declare(release)
        followed = [self._follow(api, found) for found in watched]
        if release.incident:
            followed.append(self._incident(release, watched))
        await asyncio.gather(*followed)
        return watched

    async def _follow(self, api: Api, watched: Watched) -> None:
        shown: tuple[object, ...] = ()
        shown_at = 0.0

        def look(found: Watched, snapshot: Snapshot, verdict: Verdict | None) -> None:
            nonlocal shown, shown_at
            now = (snapshot.phase, snapshot.weight, (verdict or {}).get("reason"))
            if now != shown or found.elapsed() - shown_at > QUIET_SECONDS or found.outcome:
                self._show(report.timeline(found, snapshot, verdict))
                shown, shown_at = now, found.elapsed()

        await watch.follow(self._target, api, watched, look, MOST_SECONDS)
        ended = watched.outcome or f"did not end within {MOST_SECONDS} s"
        why = f": {watched.verdict['why']}" if watched.verdict else ""
        self._show(f"{watched.elapsed():6.1f} s  {watched.service:<9}{watched.tag:<7}{ended}{why}")

    async def _incident(self, release: Release, watched: list[Watched]) -> None:
        """Once both canaries have traffic, release a bad version of what both depend on."""
        for found in watched:
            await found.under_way.wait()
        await asyncio.sleep(SETTLE_SECONDS)
        self._show(f"          {DEPENDENCY} starts to fail for everybody")
        await self._declare(release, INCIDENT_ENV, "1.0.1")
        await asyncio.sleep(INCIDENT_SECONDS)
        await self._declare(release, {}, "1.0.2")
        self._show(f"          {DEPENDENCY} works again")

    async def _declare(
        self, release: Release, env: dict[str, str] | None = None, tag: str = DEPENDENCY_TAG
    ) -> None:
        await asyncio.to_thread(self._stack.declare, release, env or {}, tag)


def failures(state: Path) -> dict[str, int]:
    """What the load generator has counted as failed for callers, by service."""
    hosts = json.loads(state.read_text())["hosts"]
    return {
        host.partition(".")[0]: sum(found["errors"].values())
        + sum(count for status, count in found["statuses"].items() if status >= "500")
        for host, found in hosts.items()
    }
