"""The node stand-in refuses a command line it cannot use, naming the option."""

import pytest

from sandbox.node.__main__ import arguments


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"--kubeconfig": "/nowhere/kubeconfig"}, "--kubeconfig /nowhere/kubeconfig"),
        ({"--octet": "0"}, "--octet 0: must be 1 to 254"),
        ({"--octet": "255"}, "--octet 255: must be 1 to 254"),
    ],
)
def test_a_wrong_option_is_named(
    wrong: dict[str, str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    options = {"--kubeconfig": __file__, "--octet": "10", "--state": "state", **wrong}
    words = [word for option in options.items() for word in option]
    monkeypatch.setattr("sys.argv", ["sandbox.node", *words])
    with pytest.raises(SystemExit):
        arguments()
    assert named in capsys.readouterr().err
