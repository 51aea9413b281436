"""The load generator can be aimed at loopback addresses only, at a bounded rate."""

from pathlib import Path

import pytest

from sandbox.load.client import Target
from sandbox.load.options import Options, parse

GIVEN = ["--target", "http://127.42.0.4:8080", "--state", "load.json"]


def test_several_hosts_with_their_rates():
    options = parse([*GIVEN, "--host", "checkout.local=50", "--host", "payments.local=12.5"])
    assert options == Options(
        target=Target("127.42.0.4", 8080),
        path="/",
        rates={"checkout.local": 50, "payments.local": 12.5},
        state=Path("load.json"),
    )


def test_the_path_of_the_target_is_called():
    given = ["--target", "http://127.42.0.4:8080/pay", "--state", "s", "--host", "a=1"]
    assert parse(given).path == "/pay"


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "example.org", "localhost", "[::1]", "169.254.169.254"]
)
def test_other_addresses_are_refused(address: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        parse(["--target", f"http://{address}:80", "--state", "s", "--host", "a=1"])
    assert "loopback addresses (127.0.0.0/8) only" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["a", "a=", "=5", "a=x", "a=0", "a=-1", "a=501", "a=nan", "a=inf"])
def test_a_rate_that_is_none_or_too_high_is_refused(host: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        parse([*GIVEN, "--host", host])
    assert f"--host {host}: must be HOST=RATE" in capsys.readouterr().err


@pytest.mark.parametrize("target", ["127.0.0.1:80", "https://127.0.0.1:1", "http://127.0.0.1"])
def test_a_target_without_scheme_or_port_is_refused(
    target: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit):
        parse(["--target", target, "--state", "s", "--host", "a=1"])
    assert "must look like http://127.0.0.1:8080" in capsys.readouterr().err
