"""Prometheus Operator's part in rules: each PrometheusRule of the API server becomes a file that
Prometheus evaluates. Nothing else of the operator is here.

An object whose rules Prometheus would refuse is left out and said in the log: with one such file
it would not even start. (On a cluster the operator's admission webhook refuses the object.)
"""

import argparse
import asyncio
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import kr8s

from sandbox import cluster
from sandbox.layout import ROOT, Layout
from sandbox.network import Network
from sandbox.process import Process, sources
from sandbox.prometheus import rule_folder, url

_POLL_SECONDS = 2.0
_FAULTS = (httpx.HTTPError, kr8s.APITimeoutError, kr8s.ServerError)

log = logging.getLogger("rules")


def process(layout: Layout, network: Network) -> Process:
    """Started after Prometheus, which it tells of every change."""
    return Process(
        name="prometheus-rules",
        argv=[
            *(sys.executable, "-m", "sandbox.rules"),
            *("--kubeconfig", str(layout.kubeconfig)),
            *("--folder", str(rule_folder(layout))),
            *("--prometheus", url(network)),
            *("--promtool", str(layout.binaries / "promtool")),
        ],
        env={"PYTHONPATH": str(ROOT)},
        version=sources("sandbox/rules.py"),
    )


def files(objects: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Name → content of the rule file of each object, whose `spec` is one. JSON is YAML."""
    return {
        f"{found['metadata']['namespace']}_{found['metadata']['name']}.yaml": json.dumps(
            {"groups": found["spec"].get("groups", [])}
        )
        for found in objects
    }


def write(folder: Path, wanted: Mapping[str, str]) -> bool:
    """Make the folder hold just these files; whether anything was different."""
    folder.mkdir(parents=True, exist_ok=True)
    present = {path.name: path.read_text() for path in folder.glob("*.yaml")}
    for name in present.keys() - wanted.keys():
        (folder / name).unlink()
    for name, content in wanted.items():
        if present.get(name) != content:
            (folder / name).write_text(content)
    return present != wanted


@cache
def refusal(promtool: Path, content: str) -> str:
    """What Prometheus has against a rule file; empty if nothing."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(content)
        file.flush()
        done = subprocess.run(
            [promtool, "check", "rules", file.name], capture_output=True, text=True, check=False
        )
    return (done.stderr or done.stdout).strip() if done.returncode else ""


def accepted(promtool: Path, wanted: Mapping[str, str]) -> dict[str, str]:
    """Those that Prometheus takes."""
    return {name: content for name, content in wanted.items() if not refusal(promtool, content)}


async def follow(kubeconfig: Path, folder: Path, prometheus: str, promtool: Path) -> None:
    """For ever; what goes wrong is tried again."""
    stale, refused = True, set[str]()  # Prometheus may not have read what is there
    while True:
        try:
            api = await cluster.connect(kubeconfig)
            async with api.call_api(
                "GET", version="monitoring.coreos.com/v1", url="prometheusrules"
            ) as response:
                wanted = files(response.json()["items"])
            taken = await asyncio.to_thread(accepted, promtool, wanted)
            for name in wanted.keys() - taken.keys() - refused:
                log.error("%s: %s", name, refusal(promtool, wanted[name]))
            refused = set(wanted.keys() - taken.keys())
            stale |= write(folder, taken)
            if stale:
                await _reload(prometheus)
                stale = False
        except _FAULTS as error:
            log.warning("rules are not up to date: %r", error)
        await asyncio.sleep(_POLL_SECONDS)


async def _reload(prometheus: str) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        (await client.post(f"{prometheus}/-/reload")).raise_for_status()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--prometheus", required=True)
    parser.add_argument("--promtool", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(follow(given.kubeconfig, given.folder, given.prometheus, given.promtool))


if __name__ == "__main__":
    main()
