"""Restarts follow the policy and the kubelet's back-off."""

import pytest

from sandbox.node.backoff import BackOff, restarts


def test_the_first_restart_is_immediate_then_delays_double_up_to_five_minutes():
    back_off = BackOff()
    assert [back_off.after(1) for _ in range(8)] == [0, 10, 20, 40, 80, 160, 300, 300]


def test_a_run_of_ten_minutes_is_a_new_beginning():
    back_off = BackOff()
    assert [back_off.after(s) for s in (1, 1, 599, 600, 1)] == [0, 10, 20, 0, 10]


@pytest.mark.parametrize(
    ("policy", "code", "expected"),
    [
        ("Always", 0, True),
        ("Always", 1, True),
        ("OnFailure", 0, False),
        ("OnFailure", 1, True),
        ("OnFailure", -9, True),
        ("Never", 1, False),
    ],
)
def test_restart_policies(policy: str, code: int, expected: bool):
    assert restarts(policy, code) is expected
