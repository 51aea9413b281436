"""Whoever waits sees how far it is, also where a log is all there is."""

import pytest

from cli.replay.progress import progress


@pytest.mark.parametrize(("total", "lines"), [(3, 3), (10, 10), (168, 10)])
def test_a_log_gets_a_line_at_every_tenth(
    total: int, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress("reading the past", "hours", total) as tick:
        for _ in range(total):
            tick()
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == lines
    assert err.splitlines()[-1] == f"reading the past: {total} of {total} hours"
