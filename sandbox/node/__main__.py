"""`python -m sandbox.node --kubeconfig FILE --octet N --state FOLDER`: run the node stand-in."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from sandbox.layout import KUBELET_PORT
from sandbox.network import Network
from sandbox.node.agent import Agent
from sandbox.node.apiserver import ApiServer
from sandbox.node.checks import Checker
from sandbox.node.folders import Folders
from sandbox.node.pod import Host, node_manifest
from sandbox.node.server import serve


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.node", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True, help="how to reach the cluster")
    parser.add_argument("--octet", type=int, required=True, help="the sandbox's 127.OCTET.0.0/16")
    parser.add_argument("--state", type=Path, required=True, help="folder for the pods' logs")
    given = parser.parse_args()
    if not given.kubeconfig.is_file():
        parser.error(f"--kubeconfig {given.kubeconfig}: there is no such file")
    if not 1 <= given.octet <= 254:
        parser.error(f"--octet {given.octet}: must be 1 to 254")
    return given


async def run(kubeconfig: Path, network: Network, state: Path) -> None:
    """Until SIGTERM or SIGINT; every process it started has ended when it returns."""
    pods = state / "pods"
    pods.mkdir(parents=True, exist_ok=True)
    server = await ApiServer.connect(kubeconfig)
    checker = Checker()
    host = Host(network, Folders(pods), server, checker)
    agent = Agent(host, node_manifest(KUBELET_PORT))
    http = await serve(agent, network.address("node"), KUBELET_PORT)
    loops = (agent.run(), agent.measure(), server.send_events())
    tasks = [asyncio.create_task(loop) for loop in loops]
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, tasks[0].cancel)
    try:
        # None ends by itself: what ends first was stopped by a signal or failed.
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        http.close()
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        await checker.close()
    for result in results:
        if isinstance(result, Exception):
            raise result


def main() -> None:
    given = arguments()
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    # One line per probe and per API call would bury everything else.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(run(given.kubeconfig, Network(given.octet), given.state))


if __name__ == "__main__":
    main()
