"""What the API server is told of a pod: pure functions from container states to `status`.

The shapes are those of PodStatus in the Kubernetes core/v1 API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Condition = Mapping[str, Any]
KILLED_EXIT_CODE = 137  # 128 + SIGKILL, as shells and container runtimes have it


@dataclass(frozen=True)
class Waiting:
    reason: str = "ContainerCreating"
    message: str = ""


@dataclass(frozen=True)
class Running:
    started_at: datetime


@dataclass(frozen=True)
class Terminated:
    exit_code: int
    reason: str
    started_at: datetime
    finished_at: datetime
    container_id: str
    message: str = ""

    @property
    def run_seconds(self) -> float:
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True)
class ContainerState:
    """One container now. `last` is how its previous run ended; `identity` its containerID."""

    name: str
    image: str
    state: Waiting | Running | Terminated = Waiting()
    last: Terminated | None = None
    restarts: int = 0
    started: bool = False
    ready: bool = False
    identity: str = ""


def timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def recover(fresh: ContainerState, recorded: Mapping[str, Any], now: datetime) -> ContainerState:
    """A container's state when the node comes back: what ran was lost with the node.

    `recorded` is its entry in the pod's containerStatuses.
    """
    identity = recorded.get("containerID", "")
    state = recorded.get("state", {})
    ended = state.get("terminated") or recorded.get("lastState", {}).get("terminated")
    restarts = recorded.get("restartCount", 0)
    last = _terminated(ended) if ended else None
    if "running" in state:
        started = datetime.fromisoformat(state["running"]["startedAt"])
        message = "the sandbox's node was restarted; its processes ended with it"
        last = Terminated(KILLED_EXIT_CODE, "NodeRestarted", started, now, identity, message)
    return ContainerState(
        name=fresh.name,
        image=fresh.image,
        state=last or fresh.state,
        last=last,
        restarts=restarts,
        identity=identity,
    )


def container_status(container: ContainerState) -> dict[str, Any]:
    return {
        "name": container.name,
        "image": container.image,
        "imageID": container.image if container.identity else "",
        "containerID": container.identity,
        "state": _state(container.state),
        "lastState": _state(container.last) if container.last else {},
        "restartCount": container.restarts,
        "started": container.started,
        "ready": container.ready,
    }


def phase(init: Sequence[ContainerState], main: Sequence[ContainerState], policy: str) -> str:
    """Pending until the first container has run; Succeeded or Failed only when none restarts."""
    if any(_failed(container) for container in init) and policy == "Never":
        return "Failed"
    if all(isinstance(c.state, Terminated) for c in main) and policy != "Always":
        if not any(_failed(container) for container in main):
            return "Succeeded"
        if policy == "Never":
            return "Failed"
    return "Running" if any(container.identity for container in main) else "Pending"


def conditions(
    previous: Sequence[Condition],
    init: Sequence[ContainerState],
    main: Sequence[ContainerState],
    pod_phase: str,
    now: datetime,
) -> list[dict[str, Any]]:
    """The pod's conditions; a transition time changes only when its status does."""
    waiting_init = [c.name for c in init if not _completed(c)]
    unready = [c.name for c in main if not c.ready]
    if pod_phase in ("Succeeded", "Failed"):
        why = ("PodCompleted" if pod_phase == "Succeeded" else "PodFailed", "")
    else:
        why = ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    incomplete = (
        "ContainersNotInitialized",
        f"containers with incomplete status: [{' '.join(waiting_init)}]",
    )
    return [
        _condition(previous, "PodScheduled", True, ("", ""), now),
        _condition(previous, "Initialized", not waiting_init, incomplete, now),
        _condition(previous, "ContainersReady", not unready, why, now),
        _condition(previous, "Ready", not unready, why, now),
    ]


def pod_status(
    pod: Mapping[str, Any],
    previous: Sequence[Condition],
    init: Sequence[ContainerState],
    main: Sequence[ContainerState],
    now: datetime,
) -> dict[str, Any]:
    """The whole status to publish. `pod` has its addresses and start time in `status`."""
    pod_phase = phase(init, main, pod["spec"].get("restartPolicy", "Always"))
    known = pod["status"]
    return {
        "phase": pod_phase,
        "conditions": conditions(previous, init, main, pod_phase, now),
        "hostIP": known["hostIP"],
        "hostIPs": [{"ip": known["hostIP"]}],
        "podIP": known["podIP"],
        "podIPs": [{"ip": known["podIP"]}],
        "startTime": known["startTime"],
        "initContainerStatuses": [container_status(container) for container in init],
        "containerStatuses": [container_status(container) for container in main],
    }


def _state(state: Waiting | Running | Terminated) -> dict[str, Any]:
    match state:
        case Waiting(reason, message):
            return {"waiting": {"reason": reason, "message": message}}
        case Running(started_at):
            return {"running": {"startedAt": timestamp(started_at)}}
        case Terminated():
            # A negative code is how Python reports the signal that ended the process.
            signal = {"signal": -state.exit_code} if state.exit_code < 0 else {}
            return {
                "terminated": {
                    "exitCode": 128 - state.exit_code if signal else state.exit_code,
                    **signal,
                    "reason": state.reason,
                    "message": state.message,
                    "startedAt": timestamp(state.started_at),
                    "finishedAt": timestamp(state.finished_at),
                    "containerID": state.container_id,
                }
            }


def _terminated(recorded: Mapping[str, Any]) -> Terminated:
    return Terminated(
        exit_code=recorded["exitCode"],
        reason=recorded.get("reason", ""),
        started_at=datetime.fromisoformat(recorded["startedAt"]),
        finished_at=datetime.fromisoformat(recorded["finishedAt"]),
        container_id=recorded.get("containerID", ""),
        message=recorded.get("message", ""),
    )


def _completed(container: ContainerState) -> bool:
    return isinstance(container.state, Terminated) and container.state.exit_code == 0


def _failed(container: ContainerState) -> bool:
    return isinstance(container.state, Terminated) and container.state.exit_code != 0


def _condition(
    previous: Sequence[Condition], kind: str, true: bool, why_not: tuple[str, str], now: datetime
) -> dict[str, Any]:
    status = "True" if true else "False"
    old = next((c for c in previous if c["type"] == kind), None)
    same = old is not None and old["status"] == status
    reason, message = ("", "") if true else why_not
    return {
        "type": kind,
        "status": status,
        # An explicit empty value clears the old one: the patch merges conditions by type.
        "reason": reason,
        "message": message,
        "lastTransitionTime": old["lastTransitionTime"] if same and old else timestamp(now),
    }
