"""Ctrl-C keeps what was read until then, and says so when that is nothing."""

from collections.abc import Callable

import pytest

from cli.replay.fetch import Reader
from cli.replay.history import Chunks
from cli.replay.inputs import Request
from cli.replay.result import Report
from cli.replay.run import run
from plugin.settings import Settings
from tests.unit.cli.replay.conftest import MakeChunks, MakePlan

HOURS = 12

Replay = Callable[[Chunks], Report | None]


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch, plan: MakePlan) -> Replay:
    """A replay whose reading ends by Ctrl-C once it has these hours."""

    def replay(chunks: Chunks) -> Report | None:
        async def read(reader: Reader, *_: object) -> None:
            reader.chunks.update(chunks)
            raise KeyboardInterrupt

        monkeypatch.setattr(Reader, "read", read)
        settings = Settings.model_validate({"prometheus_url": "http://127.0.0.1:9"})
        return run(Request(plan(), HOURS * 3600, {"availability": (0.01,)}), settings, seed=1)

    return replay


def test_before_anything_was_read_there_is_nothing_to_tell(interrupted: Replay) -> None:
    assert interrupted({}) is None
    assert interrupted({HOURS - 1: None}) is None


def test_the_hours_that_were_read_are_told_of(interrupted: Replay, chunks: MakeChunks) -> None:
    found = interrupted({HOURS - 1 - hour: one for hour, one in chunks(3).items()})
    assert found
    assert found.interrupted
    assert found.history.hours == 3
    assert found.rows == []
