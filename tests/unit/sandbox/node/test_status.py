"""The API server is told the truth about a pod, in the shapes of the core/v1 API."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.node.status import (
    ContainerState,
    Running,
    Terminated,
    Waiting,
    conditions,
    container_status,
    phase,
    pod_status,
    recover,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=30)
FRESH = ContainerState("app", "sluice/demo-app:1")
RUNNING = replace(FRESH, state=Running(NOON), identity="process://7", started=True, ready=True)


def ended(code: int) -> ContainerState:
    state = Terminated(code, "Completed" if code == 0 else "Error", NOON, LATER, "process://7")
    return replace(FRESH, state=state, identity="process://7")


def by_type(found: list[dict]) -> dict[str, dict]:
    return {condition["type"]: condition for condition in found}


def test_a_running_container():
    status = container_status(RUNNING)
    assert status["state"] == {"running": {"startedAt": "2026-11-21T12:00:00Z"}}
    assert (status["ready"], status["started"], status["restartCount"]) == (True, True, 0)
    assert status["containerID"] == "process://7"


def test_a_crash_loop_shows_the_reason_the_restarts_and_the_last_end():
    crash = ended(3).state
    assert isinstance(crash, Terminated)
    state = Waiting("CrashLoopBackOff", "back-off 10s")
    status = container_status(replace(FRESH, state=state, last=crash, restarts=2))
    assert status["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}
    assert status["lastState"]["terminated"]["exitCode"] == 3
    assert status["restartCount"] == 2


def test_an_end_by_a_signal_has_its_number_and_the_shells_exit_code():
    terminated = container_status(ended(-9))["state"]["terminated"]
    assert (terminated["exitCode"], terminated["signal"]) == (137, 9)
    assert "signal" not in container_status(ended(3))["state"]["terminated"]


@pytest.mark.parametrize(
    ("init", "main", "policy", "expected"),
    [
        ([], [FRESH], "Always", "Pending"),
        ([], [RUNNING], "Always", "Running"),
        ([], [RUNNING, FRESH], "Always", "Running"),
        ([], [ended(1)], "Always", "Running"),
        ([], [ended(0)], "Never", "Succeeded"),
        ([], [ended(0), ended(0)], "OnFailure", "Succeeded"),
        ([], [ended(0), ended(1)], "Never", "Failed"),
        ([], [ended(1)], "OnFailure", "Running"),
        ([], [ended(0), RUNNING], "Never", "Running"),
        ([ended(1)], [FRESH], "Always", "Pending"),
        ([ended(1)], [FRESH], "Never", "Failed"),
    ],
)
def test_phases(init: list, main: list, policy: str, expected: str):
    assert phase(init, main, policy) == expected


def test_an_unready_container_makes_the_pod_unready_and_is_named():
    found = by_type(conditions([], [], [RUNNING, FRESH], "Running", NOON))
    assert found["Initialized"]["status"] == "True"
    assert found["Ready"]["status"] == found["ContainersReady"]["status"] == "False"
    assert found["Ready"]["message"] == "containers with unready status: [app]"


def test_containers_wait_for_init_containers():
    init = replace(FRESH, name="prepare")
    found = by_type(conditions([], [init], [FRESH], "Pending", NOON))
    assert found["Initialized"]["status"] == "False"
    assert "[prepare]" in found["Initialized"]["message"]
    found = by_type(conditions([], [replace(ended(0), name="prepare")], [FRESH], "Pending", NOON))
    assert found["Initialized"]["status"] == "True"


def test_a_transition_time_changes_only_with_the_status():
    before = conditions([], [], [FRESH], "Pending", NOON)
    same = by_type(conditions(before, [], [FRESH], "Pending", LATER))
    assert same["Ready"]["lastTransitionTime"] == "2026-11-21T12:00:00Z"
    ready = by_type(conditions(before, [], [RUNNING], "Running", LATER))
    assert ready["Ready"]["lastTransitionTime"] == "2026-11-21T12:00:30Z"
    assert ready["PodScheduled"]["lastTransitionTime"] == "2026-11-21T12:00:00Z"


def test_a_reason_is_cleared_when_the_pod_becomes_ready():
    ready = by_type(conditions([], [], [RUNNING], "Running", NOON))["Ready"]
    assert (ready["reason"], ready["message"]) == ("", "")


def test_a_finished_pod_says_that_it_completed():
    found = by_type(conditions([], [], [ended(0)], "Succeeded", NOON))
    assert found["Ready"]["reason"] == "PodCompleted"


def test_the_whole_status_carries_addresses_phase_and_containers():
    known = {"podIP": "10.244.1.1", "hostIP": "10.244.0.1", "startTime": "2026-11-21T12:00:00Z"}
    pod = {"spec": {"restartPolicy": "Always"}, "status": known}
    status = pod_status(pod, [], [], [RUNNING], LATER)
    assert status["phase"] == "Running"
    assert status["podIPs"] == [{"ip": "10.244.1.1"}]
    assert status["startTime"] == "2026-11-21T12:00:00Z"
    assert [each["name"] for each in status["containerStatuses"]] == ["app"]


def test_what_ran_when_the_node_ended_is_lost_and_counts_as_ended():
    recorded = container_status(replace(RUNNING, restarts=4))
    state = recover(FRESH, recorded, LATER)
    assert isinstance(state.state, Terminated)
    assert (state.state.exit_code, state.state.reason) == (137, "NodeRestarted")
    assert state.state.started_at == NOON
    assert (state.restarts, state.ready) == (4, False)
    assert state.last == state.state


def test_what_had_ended_before_keeps_its_end():
    state = recover(FRESH, container_status(ended(0)), LATER)
    assert isinstance(state.state, Terminated)
    assert (state.state.exit_code, state.state.finished_at) == (0, LATER)


def test_a_crash_loop_goes_on_from_its_last_end():
    crash = ended(3).state
    assert isinstance(crash, Terminated)
    looping = replace(FRESH, state=Waiting("CrashLoopBackOff"), last=crash, restarts=2)
    state = recover(FRESH, container_status(looping), LATER)
    assert state.state == state.last == crash
    assert state.restarts == 2


def test_a_container_that_never_ran_starts_fresh():
    waiting = replace(FRESH, state=Waiting("ErrImagePull", "no such image"))
    assert recover(FRESH, container_status(waiting), LATER) == FRESH
