"""Images stand for local commands, and a container's command line is Kubernetes' own."""

import sys

import pytest

from sandbox.node.images import UnknownImageError, command_line, repository


@pytest.mark.parametrize(
    "image",
    [
        "sluice/judge",
        "sluice/judge:0.1.0",
        "registry.example/sluice/judge:0.1.0",
        "registry:5000/sluice/judge",
        "localhost/sluice/judge:1@sha256:0123",
    ],
)
def test_registry_tag_and_digest_do_not_matter(image: str):
    assert repository(image) == "sluice/judge"


def test_a_folder_of_a_registry_is_not_taken_for_the_registry():
    assert repository("team/sluice/judge:1") == "team/sluice/judge"


def test_an_image_of_one_part_keeps_its_name():
    assert repository("nginx:1.27") == "nginx"


def test_the_image_gives_the_entry_point_and_args_follow_with_variables_expanded():
    container = {"image": "sluice/demo-app:1", "args": ["--name=$(POD)"]}
    expected = [sys.executable, "-m", "sandbox.demoapp", "--name=checkout-1"]
    assert command_line(container, {"POD": "checkout-1"}) == expected


def test_command_replaces_the_entry_point():
    container = {"image": "sluice/demo-app:1", "command": ["sh", "-c"], "args": ["exit 3"]}
    assert command_line(container, {}) == ["sh", "-c", "exit 3"]


def test_an_unknown_image_is_refused_by_name_with_the_table_to_extend():
    with pytest.raises(UnknownImageError) as error:
        command_line({"image": "nginx:1.27", "command": ["sh"]}, {})
    assert '"nginx:1.27"' in str(error.value)
    assert "sluice/demo-app, sluice/judge" in str(error.value)
    assert "sandbox/node/images.py" in str(error.value)
