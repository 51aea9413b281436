"""The release is read off the image reference."""

import pytest

from components.spec import image


@pytest.mark.parametrize(
    ("reference", "release"),
    [
        ("checkout:1.8.0", "1.8.0"),
        ("registry:5000/shop/checkout:1.8.0", "1.8.0"),
        ("checkout:1.8.0@sha256:" + "ab" * 32, "abababababab"),
        ("checkout@sha256:" + "0123456789ab" + "c" * 52, "0123456789ab"),
    ],
)
def test_the_release_is_the_tag_or_the_start_of_the_digest(reference: str, release: str) -> None:
    assert image.release(reference) == release


@pytest.mark.parametrize(
    "reference", ["checkout", "checkout:latest", "registry:5000/shop/checkout", "checkout:"]
)
def test_an_image_that_names_no_release_is_refused(reference: str) -> None:
    """A registry's port is no tag, and `latest` is another image every day."""
    with pytest.raises(ValueError, match="does not say which release it is"):
        image.release(reference)


def test_a_malformed_digest_is_refused() -> None:
    with pytest.raises(ValueError, match="malformed digest"):
        image.release("checkout@sha256:xyz")


def test_a_malformed_tag_is_refused() -> None:
    with pytest.raises(ValueError, match="is no image tag"):
        image.release("checkout:1 8")
