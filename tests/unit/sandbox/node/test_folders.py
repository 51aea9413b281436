"""The logs of the last pods that went can be read; those before them make room."""

from pathlib import Path

import pytest

from sandbox.node import folders
from sandbox.node.folders import Folders


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """Keeps two folders of pods that are gone."""
    monkeypatch.setattr(folders, "KEPT", 2)
    return Folders(tmp_path)


def names(root: Path) -> set[str]:
    return {folder.name for folder in root.iterdir()}


def test_the_oldest_are_removed_and_the_living_are_not(two: Folders, tmp_path: Path):
    living = two.of("shop", "living")
    for pod in ("a", "b", "c"):
        two.leave(two.of("shop", pod))
    assert names(tmp_path) == {"shop_living", "shop_b", "shop_c"}
    assert living.is_dir()


def test_a_name_that_is_used_again_keeps_its_folder(two: Folders, tmp_path: Path):
    two.leave(two.of("shop", "db-0"))
    (two.of("shop", "db-0") / "db.log").write_text("again\n")
    for pod in ("a", "b", "c"):
        two.leave(two.of("shop", pod))
    assert (tmp_path / "shop_db-0" / "db.log").read_text() == "again\n"


def test_the_same_pod_in_two_namespaces_has_two_folders(two: Folders):
    assert two.of("shop", "web") != two.of("test", "web")


def test_at_the_start_only_the_living_pods_folders_stay(two: Folders, tmp_path: Path):
    for pod in ("gone", "living"):
        (two.of("shop", pod) / "app.log").write_text("hello\n")
    two.prune([("shop", "living")])
    assert names(tmp_path) == {"shop_living"}
