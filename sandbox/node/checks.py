"""Really asks a process: runs a probe's or a hook's action."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from sandbox.node.child import Child
from sandbox.node.probes import Action, Exec, HttpGet, Sleep, TcpSocket


@dataclass(frozen=True)
class Result:
    ok: bool
    message: str = ""


class Checker:
    """Runs actions. One HTTP client serves all; like a kubelet it keeps no connection."""

    def __init__(self) -> None:
        # Probes do not verify certificates, as in Kubernetes; loopback needs no proxy.
        self._client = httpx.AsyncClient(
            verify=False,  # noqa: S501
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=0),
            headers={"User-Agent": "kube-probe/sandbox", "Connection": "close"},
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def run(
        self, action: Action, seconds: float, env: Mapping[str, str], folder: Path
    ) -> Result:
        """The outcome within `seconds`; commands run in `folder` with the container's `env`."""
        try:
            async with asyncio.timeout(seconds):
                return await self._ask(action, env, folder)
        except TimeoutError:
            return Result(False, f"no answer within {seconds:g} s")
        except (httpx.HTTPError, OSError) as error:
            return Result(False, str(error) or type(error).__name__)

    async def _ask(self, action: Action, env: Mapping[str, str], folder: Path) -> Result:
        match action:
            case HttpGet(url, headers):
                answer = await self._client.get(url, headers=headers, timeout=None)
                ok = answer.status_code < httpx.codes.BAD_REQUEST
                return Result(ok, f"HTTP {answer.status_code}")
            case TcpSocket(host, port):
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
            case Exec(command):
                return await _execute(Child(command, env, folder, folder / "exec.log"))
            case Sleep(seconds):
                await asyncio.sleep(seconds)
        return Result(True)


async def _execute(child: Child) -> Result:
    try:
        code = await child.wait()
    finally:
        await child.stop(0)
    return Result(code == 0, f"exit code {code}")
