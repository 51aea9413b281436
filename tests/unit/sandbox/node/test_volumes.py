"""A pod's Secrets are files that its processes find, that are all of one state, and that follow."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.node import volumes
from sandbox.node.probes import UnsupportedError
from sandbox.node.volumes import SecretVolumes, VolumeFault, contents, located, write

TOKEN = {"token": b"s3cret\n", "note": b"\xff"}
MOUNT = {"name": "tokens", "mountPath": "/etc/sluice/tokens"}
HERE = {"tokens": Path("/pod/tokens")}


def test_a_secret_without_items_is_one_file_for_each_key():
    assert contents("tokens", {"secretName": "judge-token"}, TOKEN) == TOKEN


def test_items_choose_keys_and_name_their_files():
    items = [{"key": "token", "path": "of/judge"}]
    source = {"secretName": "judge-token", "items": items}
    assert contents("tokens", source, TOKEN) == {"of/judge": b"s3cret\n"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "volume tokens: secret judge-token does not exist"),
        ({"tokn": b"s3cret"}, "volume tokens: secret judge-token has no key token"),
    ],
)
def test_what_is_missing_is_a_fault_unless_optional(data: dict[str, bytes] | None, said: str):
    items = [{"key": "token", "path": "token"}]
    source: dict[str, Any] = {"secretName": "judge-token", "items": items}
    with pytest.raises(VolumeFault, match=said):
        contents("tokens", source, data)
    assert contents("tokens", {**source, "optional": True}, data) == {}


def found(folder: Path) -> dict[str, bytes]:
    """What a program sees that reads the folder, without what Kubernetes hides in it."""
    shown = [path for path in folder.iterdir() if not path.name.startswith("..")]
    files = [file for path in shown for file in (path.rglob("*") if path.is_dir() else [path])]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files if file.is_file()}


@pytest.mark.parametrize("after", [{"a": b"2"}, {"b": b"2", "c/d": b"3"}, {}])
def test_files_are_replaced_and_nothing_is_left_of_the_old_ones(
    tmp_path: Path, after: dict[str, bytes]
):
    for files in ({"a": b"1", "b": b"1", "c/d": b"1"}, after):
        write(tmp_path, files)
        assert found(tmp_path) == files
    assert len([path for path in tmp_path.iterdir() if path.name.startswith("..")]) == 2


def test_all_files_change_at_once(tmp_path: Path):
    """Who has opened the folder behind `..data` never sees a certificate with another's key."""
    write(tmp_path, {"tls.crt": b"1", "tls.key": b"1"})
    before = (tmp_path / "..data").readlink()
    write(tmp_path, {"tls.crt": b"2", "tls.key": b"2"})
    assert (tmp_path / "..data").readlink() != before
    assert (tmp_path / "tls.crt").readlink() == Path("..data/tls.crt")


def test_nobody_else_may_read_them(tmp_path: Path):
    write(tmp_path, TOKEN)
    assert (tmp_path / "token").resolve().parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("/etc/sluice/tokens", "/pod/tokens"),
        ("/etc/sluice/tokens/token", "/pod/tokens/token"),
        ("-f=/etc/sluice/tokens/a,/etc/sluice/tokens", "-f=/pod/tokens/a,/pod/tokens"),
        ("/etc/sluice/tokens.old", "/etc/sluice/tokens.old"),
        ("/mnt/etc/sluice/tokens", "/mnt/etc/sluice/tokens"),
        ("/etc/sluice", "/etc/sluice"),
    ],
)
def test_paths_below_the_mount_are_those_of_the_files(text: str, moved: str):
    container = {
        "name": "judge",
        "command": ["cat", text],
        "env": [{"name": "FILE", "value": text}],
        "readinessProbe": {"exec": {"command": [text]}, "periodSeconds": 1},
        "volumeMounts": [MOUNT],
    }
    told = located(container, HERE)
    assert told["command"] == ["cat", moved]
    assert told["env"] == [{"name": "FILE", "value": moved}]
    assert told["readinessProbe"] == {"exec": {"command": [moved]}, "periodSeconds": 1}


def test_of_two_mounts_the_inner_one_holds():
    places = {"outer": Path("/pod/outer"), "inner": Path("/pod/inner")}
    mounts = [{"name": "outer", "mountPath": "/etc/"}, {"name": "inner", "mountPath": "/etc/tls"}]
    container = {"name": "app", "args": ["/etc/a", "/etc/tls/a"], "volumeMounts": mounts}
    assert located(container, places)["args"] == ["/pod/outer/a", "/pod/inner/a"]


def test_what_is_no_file_is_left_alone():
    probe = {"httpGet": {"path": "/etc/sluice/tokens", "port": 8080}}
    other = {"name": "data", "mountPath": "/data"}
    mounts = [MOUNT, other]
    container = {"args": ["/data/x"], "livenessProbe": probe, "volumeMounts": mounts}
    assert located(container, HERE) == container


def test_a_sub_path_is_refused_by_name():
    """A kubelet never replaces such a file: to do it here would hide that."""
    mount = {**MOUNT, "subPath": "token"}
    with pytest.raises(UnsupportedError, match=r"container app: .* subPath of volume tokens"):
        located({"name": "app", "volumeMounts": [mount]}, HERE)


class Bench:
    """A pod with one Secret in its volumes, and what was said about it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.secrets: dict[str, Mapping[str, bytes]] = {}
        self.said: list[str] = []
        source = {"secretName": "judge-token"}
        self.volumes = SecretVolumes(
            [{"name": "tokens", "secret": source}, {"name": "tmp", "emptyDir": {}}],
            folder,
            self.secret,
            self.said.append,
        )

    def read(self) -> dict[str, bytes]:
        """What the pod's processes find in the volume."""
        return found(self.folder / "tokens") if self.folder.exists() else {}

    async def until(self, true: Callable[[], object]) -> None:
        """The test's own timeout ends this."""
        while not true():  # noqa: ASYNC110  what writes the files tells nobody
            await asyncio.sleep(0)

    async def secret(self, name: str) -> Mapping[str, bytes] | None:
        return self.secrets.get(name)


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(volumes, "REFRESH_SECONDS", 0)
    bench = Bench(tmp_path / "volumes")
    yield bench
    bench.volumes.close()


async def test_they_are_not_there_before_their_secret_is_and_it_is_said_once(bench: Bench):
    settled = asyncio.create_task(bench.volumes.settled())
    for _ in range(20):
        await asyncio.sleep(0)
    assert bench.said == ["volume tokens: secret judge-token does not exist"]
    assert not settled.done()
    bench.secrets["judge-token"] = {"token": b"1"}
    await settled
    assert bench.read() == {"token": b"1"}


async def test_they_follow_their_secret_and_outlive_it(bench: Bench):
    for token in (b"1", b"2"):
        bench.secrets["judge-token"] = {"token": token}
        await bench.until(lambda token=token: bench.read() == {"token": token})
    del bench.secrets["judge-token"]
    await bench.until(lambda: bench.said)
    assert bench.read() == {"token": b"2"}


async def test_closed_they_are_gone_and_nobody_waits_for_them(bench: Bench):
    bench.secrets["judge-token"] = {"token": b"1"}
    await bench.volumes.settled()
    assert bench.read()
    bench.volumes.close()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not bench.folder.exists()


async def test_a_pod_that_ends_before_its_secret_comes_does_not_wait(bench: Bench):
    settled = asyncio.create_task(bench.volumes.settled())
    await asyncio.sleep(0)
    bench.volumes.close()
    await settled


async def test_without_secrets_there_is_nothing_to_wait_for(bench: Bench, tmp_path: Path):
    without = SecretVolumes([], tmp_path / "without", bench.secret, bench.said.append)
    await without.settled()
