"""The cluster that the demo runs on: this clone's sandbox, or any other by its kubeconfig."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import kr8s
from kr8s.asyncio import Api

from sandbox import lifecycle
from sandbox.layout import Layout
from sandbox.mesh.names import PROXY_PORT

JUDGE = "http://judge.sluice-system.svc"
ASK_SECONDS = 10


@dataclass(frozen=True)
class Target:
    """How the demo reaches the cluster's parts.

    `gateway` is the ingress as this machine reaches it, `prometheus` the cluster's Prometheus if
    it is not the one of Pulumi.local.yaml, and `proxy` resolves in-cluster names (None: they are
    reached through the API server).
    """

    kubeconfig: Path
    gateway: str
    prometheus: str | None
    proxy: str | None

    async def api(self) -> Api:
        return await kr8s.asyncio.api(kubeconfig=str(self.kubeconfig))

    async def ask_judge(self, api: Api, question: dict[str, Any]) -> dict[str, Any] | None:
        """The judge's verdict now, or None when it cannot be reached."""
        try:
            if self.proxy:
                async with httpx.AsyncClient(proxy=self.proxy, timeout=ASK_SECONDS) as client:
                    answer = await client.post(f"{JUDGE}/v1/verdict", json=question)
            else:
                async with api.call_api(
                    "POST",
                    version="v1",
                    namespace="sluice-system",
                    url="services/judge:http/proxy/v1/verdict",
                    content=json.dumps(question),
                    headers={"Content-Type": "application/json"},
                    raise_for_status=False,
                ) as answer:
                    pass
        except httpx.HTTPError:
            return None
        return answer.json() if answer.is_success else None


def sandbox(layout: Layout, report: Callable[[str], None]) -> Target:
    """This clone's sandbox, built and started when it is not."""
    network = lifecycle.up(layout, report)
    return Target(
        kubeconfig=layout.kubeconfig,
        gateway=network.url("gateway", 8080),
        prometheus=None,  # Pulumi.local.yaml names it
        proxy=network.url("proxy", PROXY_PORT),
    )
