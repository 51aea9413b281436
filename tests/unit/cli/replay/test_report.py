"""A person and a script read the same, and a report without replays tells what is known."""

import json
from io import StringIO

from rich.console import Console

from cli.replay import report
from cli.replay.document import document
from cli.replay.result import Report
from tests.unit.cli.replay.conftest import MakeReport


def written(found: Report) -> str:
    file = StringIO()
    report.write(Console(file=file, width=120), found)
    return file.getvalue()


def test_a_person_reads_what_a_script_reads(make: MakeReport) -> None:
    found = make()
    text = written(found)
    written_down = json.loads(json.dumps(document(found)))
    burst = written_down["recommended"]["policy"]["burst"]
    assert f"--policy burst={burst:g}" in text
    assert [one["releases"] for one in written_down["replayed"]] == [40] * 4
    assert written_down["history"]["usable_hours"] == 8
    for line in written_down["warnings"]:
        assert line in text
    assert any(
        "of identical releases are aborted with the settings as given" in line
        for line in written_down["warnings"]
    )


def test_a_report_without_replays_tells_what_is_known(make: MakeReport) -> None:
    """Interrupted before the first release."""
    found = make(starts=0)
    assert found.rows == []
    assert "Recommended" in written(found)
