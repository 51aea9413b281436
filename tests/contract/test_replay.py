"""`sluice replay` on a real Prometheus with a day of constructed history, whose truth is known."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.contract.support.prometheus import backfill, prometheus
from tests.contract.support.series import istio
from tests.contract.support.stub import serving

STEP, HOURS, PER_HOUR = 15, 24, 240
RATE, BAD = 100, 0.001
SLO = "availability=99.9,latency=95@250ms"
HOUR_AWAY = 20
"""In which Prometheus itself was away, in the clumped history."""

Counts = NDArray[np.float64]


def history(folder: Path, rng: np.random.Generator, clump: int) -> None:
    """Blocks of the full hours until now: 100 requests/s, 0.1 % of which fail in such clumps."""
    total = rng.poisson(RATE * STEP, HOURS * PER_HOUR).astype(float)
    bad = clump * rng.poisson(total * BAD / clump).astype(float)
    slow = rng.binomial(total.astype(int), 0.02).astype(float)
    away = slice(HOUR_AWAY * PER_HOUR, (HOUR_AWAY + 1) * PER_HOUR) if clump > 1 else slice(0)
    lines = ["# TYPE istio_requests counter"]
    for code, counts in (("200", total - bad), ("503", bad)):
        lines += samples("istio_requests_total", counts, away, response_code=code)
    lines += ["# TYPE istio_request_duration_milliseconds histogram"]
    for bound, counts in (("250", total - slow), ("+Inf", total)):
        lines += samples("istio_request_duration_milliseconds_bucket", counts, away, le=bound)
    backfill(folder, lines)


def samples(metric: str, counts: Counts, away: slice, **more: str) -> Iterator[str]:
    begin = int(time.time()) // 3600 * 3600 - HOURS * 3600
    names = ",".join(f'{name}="{value}"' for name, value in istio("shop", "1.0", **more).items())
    values = np.cumsum(counts)
    values[away] = np.nan
    for index, value in enumerate(values, start=1):
        if not np.isnan(value):
            yield f"{metric}{{{names}}} {value:.0f} {begin + STEP * index}"


@pytest.fixture(scope="module")
def smooth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("smooth")
    history(folder, np.random.default_rng(1), clump=1)
    with prometheus(folder) as url:
        yield url


@pytest.fixture(scope="module")
def clumped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("clumped")
    history(folder, np.random.default_rng(2), clump=5)
    with prometheus(folder) as url:
        yield url


def command(url: str, *options: str, service: str = "checkout") -> list[str]:
    where = ["--prometheus", url, "--service", service, "--namespace", "shop"]
    return [sys.executable, "-m", "cli", "replay", *where, "--since", f"{HOURS}h", *options]


def replay(url: str, folder: Path, *options: str) -> tuple[dict[str, Any], str]:
    """The JSON it wrote and the text it printed, without the line breaks of its tables."""
    out = folder / "replay.json"
    run = subprocess.run(
        command(url, "--json", str(out), *options), capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(out.read_text()), " ".join(run.stdout.split())


def refused(*options: str, url: str, service: str = "checkout") -> tuple[int, str]:
    run = subprocess.run(
        command(url, *options, service=service), capture_output=True, text=True, check=False
    )
    assert not run.stdout
    assert "Traceback" not in run.stderr
    return run.returncode, run.stderr


def row(found: dict[str, Any], plan: str, extra: float = 0) -> dict[str, Any]:
    """Of identical versions, or of a regression of availability."""
    return next(
        one
        for one in found["replayed"]
        if one["plan"] == plan
        and one["extra"] == pytest.approx(extra)
        and one["objective"] in {"", "availability"}
    )


def test_failures_that_come_alone_need_no_tempering_and_abort_no_good_release(
    smooth: str, tmp_path: Path
) -> None:
    picture = tmp_path / "replay.svg"
    found, text = replay(smooth, tmp_path, "--slo", SLO, "--inject", "10", "--out", str(picture))
    assert found["history"]["usable_hours"] == HOURS
    assert found["history"]["requests_per_second"] == pytest.approx(RATE, rel=0.01)
    assert found["history"]["bad"]["availability"] / found["history"]["total"][
        "availability"
    ] == pytest.approx(BAD, rel=0.05)
    for windows in found["dispersion"].values():
        assert windows[0]["p50"] == pytest.approx(1, abs=0.1)
    assert found["recommended"]["policy"]["burst"] == 1
    assert row(found, "as given")["releases"] >= 200
    assert row(found, "as given")["aborted"] == 0
    assert "Recommended" in text
    assert not any("aborted" in line for line in found["warnings"])
    ElementTree.parse(picture)  # noqa: S314 our own


def test_ten_times_the_failures_are_caught_when_the_formulas_expect_it(
    smooth: str, tmp_path: Path
) -> None:
    found, _ = replay(smooth, tmp_path, "--slo", "availability=99.9", "--inject", "0.9")
    caught = row(found, "as given", extra=0.009)
    assert caught["promoted"] == 0
    assert caught["aborted"] >= 0.98 * caught["releases"]
    assert caught["median"] == pytest.approx(caught["expected"], abs=30)
    assert caught["p90"] <= 240


def test_failures_that_come_in_fives_are_tempered_by_five(clumped: str, tmp_path: Path) -> None:
    found, text = replay(clumped, tmp_path, "--slo", "availability=99.9", "--inject", "0.9")
    assert 4.5 <= found["recommended"]["policy"]["burst"] <= 6
    before, after = row(found, "as given"), row(found, "recommended")
    assert before["aborted"] > 0.1 * before["releases"]
    assert after["aborted"] <= 0.01 * after["releases"]
    assert after["promoted"] >= 0.85 * after["releases"]
    caught = row(found, "recommended", extra=0.009)
    assert caught["aborted"] >= 0.98 * caught["releases"]
    assert caught["median"] == pytest.approx(caught["expected"], rel=0.25)
    assert "of identical releases are aborted with the settings as given, 1 % are allowed" in text
    # And the hour in which nothing was scraped is not taken for a quiet one.
    assert found["history"]["usable_hours"] == HOURS - 1
    assert "hours without requests, or with more than half missing: 1" in text


def test_a_policy_that_is_tempered_already_aborts_no_good_release(
    clumped: str, tmp_path: Path
) -> None:
    tempered = ("--policy", "burst=5,pass_margin=3", "--inject", "10")
    found, _ = replay(clumped, tmp_path, "--slo", "availability=99.9", *tempered)
    assert row(found, "as given")["aborted"] <= 0.02 * row(found, "as given")["releases"]


def test_what_was_replayed_before_ctrl_c_is_told(smooth: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command(smooth, "--slo", SLO),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What runs in a shell's background has inherited that Ctrl-C is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 no threads
    )
    assert process.stderr
    for line in process.stderr:
        if line.startswith("replaying"):
            break
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    releases = re.search(r"Replayed with the settings as given: (\d+) releases", text)
    assert releases
    assert 10 <= int(releases[1]) < 200
    assert "interrupted" in text


def test_a_service_without_requests_is_said_plainly(smooth: str) -> None:
    code, error = refused("--slo", SLO, url=smooth, service="chekout")
    assert code == 1
    assert "no request to shop/chekout was counted in these 24 hours" in error
    assert "--service" in error


@pytest.mark.parametrize("slo", ["latency=95@500ms", "availability=99.9,latency=95@500ms"])
def test_a_latency_bucket_that_the_histogram_does_not_have_is_named(smooth: str, slo: str) -> None:
    code, error = refused("--slo", slo, url=smooth)
    assert code == 1
    assert "error: --slo: of the requests counted for latency none was within 500ms" in error


def test_a_scrape_interval_that_is_not_prometheus_own_is_said_plainly(smooth: str) -> None:
    code, error = refused("--slo", SLO, "--scrape-interval", "5s", url=smooth)
    assert code == 1
    assert "--scrape-interval" in error


def test_a_dead_prometheus_is_said_plainly() -> None:
    code, error = refused("--slo", SLO, url="http://127.0.0.1:9")
    assert code == 1
    assert "--prometheus: Prometheus cannot be reached" in error


def test_a_clock_that_is_minutes_off_does_not_keep_from_reading_the_past(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A laptop's may be, and whole hours are read. The judge, who reads seconds, asks nothing."""
    earlier = formatdate(time.time() - 300, usegmt=True)
    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda *_: earlier)
    nothing = b'{"status":"success","data":{"resultType":"matrix","result":[]}}'
    with serving({"/api/v1/query_range": [(200, nothing)]}) as empty:
        code, error = refused("--slo", SLO, url=empty.url)
    assert code == 1
    assert "no request to shop/checkout was counted" in error


def test_what_is_mistyped_is_named(smooth: str) -> None:
    code, error = refused("--slo", SLO, "--stages", "10:5", url=smooth)
    assert code == 2
    assert error.startswith("error: --stages: '5'")
    code, error = refused("--slo", SLO, url="prometheus:9090")
    assert code == 2
    assert error.startswith("error: --prometheus: write an address, such as http://")


def test_a_file_that_cannot_be_written_does_not_cost_the_other_one(
    smooth: str, tmp_path: Path
) -> None:
    """Nothing shows before that this one is full."""
    out = tmp_path / "replay.json"
    run = subprocess.run(
        command(smooth, "--slo", SLO, "--out", "/dev/full", "--json", str(out)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "error: --out: /dev/full: No space left on device: name another file" in run.stderr
    assert "Traceback" not in run.stderr
    assert json.loads(out.read_text())["replayed"]


def test_one_file_is_not_written_over_the_other(smooth: str, tmp_path: Path) -> None:
    same = str(tmp_path / "replay")
    code, error = refused("--slo", SLO, "--out", same, "--json", same, url=smooth)
    assert code == 2
    assert "name another file" in error
