"""Secrets as files of a pod: Kubernetes replaces them while it runs, and no value is declared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from components.manifests.manifest import Body

_DIRECTORY = PurePosixPath("/etc/sluice")


@dataclass(frozen=True)
class SecretFiles:
    """Keys of a Secret, mounted read-only as the volume `volume`.

    `variables` says for each key in which environment variable the container finds the file's path.
    """

    volume: str
    secret: str
    variables: Mapping[str, str]

    @property
    def env(self) -> dict[str, str]:
        return {variable: str(self._folder / key) for key, variable in self.variables.items()}

    @property
    def mount(self) -> Body:
        return {"name": self.volume, "mountPath": str(self._folder), "readOnly": True}

    @property
    def source(self) -> Body:
        items = [{"key": key, "path": key} for key in self.variables]
        return {"name": self.volume, "secret": {"secretName": self.secret, "items": items}}

    @property
    def _folder(self) -> PurePosixPath:
        return _DIRECTORY / self.volume


def environment(files: Iterable[SecretFiles]) -> dict[str, str]:
    """Where the container finds all of them."""
    return {variable: path for each in files for variable, path in each.env.items()}


def mounted(pod: Body, files: Iterable[SecretFiles]) -> Body:
    """The pod with `files` in each of its containers."""
    files = list(files)
    mounts = [each.mount for each in files]
    containers = [
        one | {"volumeMounts": [*one["volumeMounts"], *mounts]} for one in pod["containers"]
    ]
    volumes = [*pod["volumes"], *(each.source for each in files)]
    return pod | {"containers": containers, "volumes": volumes}
