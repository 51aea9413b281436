"""Which of several signals decides, and when it does before the objectives."""

from plugin.signals import Signal, worst
from plugin.verdict import Reason


def test_of_several_the_one_that_decides_first_is_told() -> None:
    found = worst(
        [
            Signal("a"),
            Signal("b", Reason.GATHERING, "later"),
            Signal("c", Reason.LIMIT_EXCEEDED, "beyond it"),
        ]
    )
    assert found is not None
    assert (found.reason, found.why) == (Reason.LIMIT_EXCEEDED, "beyond it")


def test_signals_from_which_nothing_follows_decide_nothing() -> None:
    assert worst([Signal("a"), Signal("b")]) is None
    assert worst([]) is None


def test_a_signal_decides_before_what_comes_after_it() -> None:
    held = worst([Signal("a", Reason.NO_DATA)])
    assert held is not None
    assert held.outranks(Reason.NON_INFERIOR)
    assert held.outranks(Reason.GATHERING)
    assert not held.outranks(Reason.NO_DATA)
    assert not held.outranks(Reason.REGRESSION)
