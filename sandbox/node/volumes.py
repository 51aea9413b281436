"""Secrets among a pod's volumes: files in its folder that follow what is in the Secrets."""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from sandbox.node.probes import UnsupportedError

# A kubelet looks about once a minute.
REFRESH_SECONDS = 2

Data = Mapping[str, bytes]
_PATH_CHARACTER = r"[\w./-]"
# What of a container may name a file.
_TOLD = ("command", "args", "env", "lifecycle", "startupProbe", "readinessProbe", "livenessProbe")


class VolumeFault(Exception):  # noqa: N818  kubelet's FailedMount
    """A volume cannot be made; the message names it and what is missing."""


class SecretVolumes:
    """The files are written from construction on, and again whenever their Secret changes, until
    `close`. What is there stays when its Secret goes.

    `secret` reads a Secret by its name (None: there is none); `tell` is told what is missing.
    """

    def __init__(
        self,
        volumes: list[Mapping[str, Any]],
        folder: Path,
        secret: Callable[[str], Awaitable[Data | None]],
        tell: Callable[[str], None],
    ):
        self._sources = {each["name"]: each["secret"] for each in volumes if "secret" in each}
        self._folder = folder
        self._secret = secret
        self._tell = tell
        self._written: dict[str, Data] = {}
        self._settled = asyncio.Event()
        # Those of a node that was killed: its pods' processes ended with it.
        shutil.rmtree(folder, ignore_errors=True)
        self._following = asyncio.create_task(self._follow(), name=f"follow {folder}")

    async def settled(self) -> None:
        """Until every volume is there, or they are closed."""
        await self._settled.wait()

    def close(self) -> None:
        """Write no more, and leave nothing on the disk."""
        self._following.cancel()
        self._settled.set()
        shutil.rmtree(self._folder, ignore_errors=True)

    def located(self, container: Mapping[str, Any]) -> Mapping[str, Any]:
        """The container, told of the files where they are instead of at its mountPath."""
        return located(container, {name: self._folder / name for name in self._sources})

    async def _follow(self) -> None:
        told: dict[str, str] = {}
        while self._sources:
            for name, source in self._sources.items():
                try:
                    await self._refresh(name, source)
                    told.pop(name, None)
                except (VolumeFault, OSError) as fault:
                    if told.get(name) != str(fault):
                        self._tell(str(fault))
                    told[name] = str(fault)
            if self._written.keys() == self._sources.keys():
                self._settled.set()
            await asyncio.sleep(REFRESH_SECONDS)
        self._settled.set()

    async def _refresh(self, name: str, source: Mapping[str, Any]) -> None:
        files = contents(name, source, await self._secret(source["secretName"]))
        if self._written.get(name) != files:
            write(self._folder / name, files)
            self._written[name] = files


def contents(volume: str, source: Mapping[str, Any], data: Data | None) -> Data:
    """The volume's files by their path. `source` is a SecretVolumeSource of the Kubernetes core/v1
    API, `data` what is in its Secret. Raises VolumeFault.
    """
    secret, optional = source["secretName"], source.get("optional", False)
    if data is None and not optional:
        raise VolumeFault(f"volume {volume}: secret {secret} does not exist")
    data = data or {}
    if "items" not in source:
        return data
    missing = [item["key"] for item in source["items"] if item["key"] not in data]
    if missing and not optional:
        raise VolumeFault(f"volume {volume}: secret {secret} has no key {', '.join(missing)}")
    return {item["path"]: data[item["key"]] for item in source["items"] if item["key"] in data}


def write(folder: Path, files: Data) -> None:
    """Replace all that is in `folder` at once: nobody finds one file old and another one new.

    As the kubelet lays it out: names are links into `..data`, a link that is renamed into place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="..", dir=folder))  # nobody else's to read
    for path, content in files.items():
        (fresh / path).parent.mkdir(parents=True, exist_ok=True)
        (fresh / path).write_bytes(content)
    current, following = folder / "..data", folder / "..data_tmp"
    stale = current.resolve() if current.is_symlink() else None
    following.symlink_to(fresh.name)
    following.replace(current)
    names = {PurePosixPath(path).parts[0] for path in files}
    shown = {entry.name for entry in folder.iterdir() if not entry.name.startswith("..")}
    for name in names - shown:
        (folder / name).symlink_to(Path("..data", name))
    for name in shown - names:
        (folder / name).unlink()
    if stale:
        shutil.rmtree(stale)


def located(container: Mapping[str, Any], volumes: Mapping[str, Path]) -> Mapping[str, Any]:
    """The container with each mountPath of `volumes` replaced by the volume's own path: in its
    command, its arguments, its variables' values and the commands of its probes and hooks.

    A local process sees this machine's files, where nothing can be mounted for it alone.
    Raises UnsupportedError.
    """
    places: dict[str, Path] = {}
    for mount in container.get("volumeMounts", ()):
        if mount["name"] not in volumes:
            continue
        if "subPath" in mount or "subPathExpr" in mount:
            raise UnsupportedError(
                f"container {container['name']}: the sandbox's node mounts Secrets as a whole; "
                f"leave out subPath of volume {mount['name']}"
            )
        places[mount["mountPath"].rstrip("/")] = volumes[mount["name"]]
    if not places:
        return container
    # The longest first: one volume may be mounted inside of another.
    mounts = "|".join(re.escape(place) for place in sorted(places, key=len, reverse=True))
    whole_path = re.compile(rf"(?<!{_PATH_CHARACTER})({mounts})(?![\w.-])")

    def moved(value: Any) -> Any:
        match value:
            case str():
                return whole_path.sub(lambda found: str(places[found[1]]), value)
            case list():
                return [moved(each) for each in value]
            case {"httpGet": _}:
                return value  # its path is none of a file
            case dict():
                return {key: moved(each) for key, each in value.items()}
        return value

    return {**container, **{key: moved(container[key]) for key in _TOLD if key in container}}
