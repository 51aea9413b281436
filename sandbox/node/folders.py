"""The pods' folders, with their logs: those of living pods, and of the last that went."""

import shutil
from collections.abc import Collection
from pathlib import Path

KEPT = 50


class Folders:
    """One folder under `root` for each pod. Nobody who reads a pod's last words has to hurry,
    and no sandbox that runs for weeks fills the disk.
    """

    def __init__(self, root: Path):
        self._root = root
        self._left: dict[str, None] = {}  # in the order in which they were left

    def of(self, namespace: str, pod: str) -> Path:
        """The folder of a pod, made if need be."""
        folder = self._root / _name(namespace, pod)
        folder.mkdir(parents=True, exist_ok=True)
        self._left.pop(folder.name, None)
        return folder

    def leave(self, folder: Path) -> None:
        """Its pod is gone. Beyond KEPT of them the oldest are removed."""
        self._left[folder.name] = None
        for oldest in list(self._left)[:-KEPT]:
            del self._left[oldest]
            shutil.rmtree(self._root / oldest, ignore_errors=True)

    def prune(self, living: Collection[tuple[str, str]]) -> None:
        """Remove the folders of all but the `living` pods (namespace and name)."""
        names = {_name(namespace, pod) for namespace, pod in living}
        for folder in self._root.iterdir():
            if folder.name not in names:
                shutil.rmtree(folder)


def _name(namespace: str, pod: str) -> str:
    return f"{namespace}_{pod}"
