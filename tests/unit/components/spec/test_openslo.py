"""An OpenSLO file in the place of a service's own objectives."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from components.spec.errors import SpecError
from components.spec.openslo import Expanded, expand
from components.spec.service import ServiceSpec, resolve
from components.spec.site import Site

FILE = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: orders}
spec:
  service: checkout
  indicator:
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: 'orders_total{ok="1"}'}}}
        total: {metricSource: {type: Prometheus, spec: {query: orders_total}}}
  timeWindow: [{duration: 4w, isRolling: true}]
  objectives: [{target: 0.99}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "slos").mkdir()
    (tmp_path / "slos" / "checkout.yaml").write_text(FILE)
    return tmp_path


def expanded(
    folder: Path, slo: Any, overlay: Mapping[str, Any] | None = None
) -> tuple[Expanded, dict[str, Any]]:
    args = {"image": "shop/checkout:1.8.0", "slo": slo}
    return expand("checkout", args, overlay or {}, folder), args


def resolved(
    folder: Path, site: Site, slo: Any, overlay: Mapping[str, Any] | None = None
) -> ServiceSpec:
    written, _ = expanded(folder, slo, overlay)
    return resolve("checkout", written.args, site, written.overlay)


def test_the_files_objectives_become_the_services(folder: Path, site: Site) -> None:
    slo = resolved(folder, site, {"openslo": "slos/checkout.yaml"}).slo
    assert slo is not None
    assert [(each.name, str(each.target)) for each in slo.objectives] == [("orders", "0.99")]
    assert slo.window.days == 28


def test_guesses_are_told_with_the_service_and_the_file(folder: Path) -> None:
    written, _ = expanded(folder, {"openslo": "slos/checkout.yaml"})
    assert written.warnings == (
        "checkout.slo.openslo: slos/checkout.yaml: SLO orders: spec.budgetingMethod: is missing; "
        "taken for Occurrences",
    )


def test_what_stands_beside_the_file_adds_to_it_and_overrules_it(folder: Path, site: Site) -> None:
    beside = {"availability": 99.9, "window": "30d", "ratios": {"orders": {"target": 98}}}
    slo = resolved(folder, site, {"openslo": "slos/checkout.yaml"} | beside).slo
    assert slo is not None
    assert [(each.name, str(each.target)) for each in slo.objectives] == [
        ("availability", "0.999"),
        ("orders", "0.98"),
    ]
    assert slo.window.days == 30


def test_the_file_and_where_requests_are_counted_stand_side_by_side(
    folder: Path, site: Site
) -> None:
    """A file's own objectives name their metrics; the preset is for what is promised beside it."""
    beside = {"openslo": "slos/checkout.yaml", "availability": 99.9}
    slo = resolved(folder, site, beside, {"slo": {"metrics": "spring"}}).slo
    assert slo is not None
    assert (slo.metrics, len(slo.objectives)) == ("spring", 2)


def test_a_stack_may_name_another_file_and_overrule_it(folder: Path, site: Site) -> None:
    (folder / "strict.yaml").write_text(FILE.replace("0.99", "0.999"))
    overlay = {"slo": {"openslo": "strict.yaml", "window": "7d"}}
    slo = resolved(folder, site, {"openslo": "slos/checkout.yaml"}, overlay).slo
    assert slo is not None
    assert [str(each.target) for each in slo.objectives] == ["0.999"]
    assert slo.window.days == 7


@pytest.mark.parametrize("slo", [None, {"availability": 99.9}, "99.9"])
def test_without_a_file_nothing_changes(folder: Path, slo: Any) -> None:
    written, args = expanded(folder, slo)
    assert written == Expanded(args, {})


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (
            "slos/chekout.yaml",
            "slos/chekout.yaml: cannot be read (No such file or directory); the path is relative "
            "to the program",
        ),
        ("slos", "slos: cannot be read (Is a directory); the path is relative to the program"),
        ("latin1.yaml", "latin1.yaml: is no text in UTF-8"),
        (7, "7 is no path; name an OpenSLO file of this program"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(folder: Path, path: Any, problem: str) -> None:
    (folder / "latin1.yaml").write_bytes("größer".encode("latin-1"))
    with pytest.raises(SpecError) as caught:
        expanded(folder, {"openslo": path})
    assert str(caught.value) == f"checkout.slo.openslo: {problem}"


def test_every_wrong_line_of_the_file_names_service_file_object_and_field(folder: Path) -> None:
    (folder / "bad.yaml").write_text(
        FILE.replace("0.99", "99") + "---" + FILE.replace("4w", "1m").replace("orders}", "sales}")
    )
    with pytest.raises(SpecError) as caught:
        expanded(folder, {"openslo": "bad.yaml"})
    assert str(caught.value).splitlines() == [
        "checkout.slo.openslo: bad.yaml: SLO orders: spec.objectives.0.target: 99 is above 1; for "
        "99 % write targetPercent: 99",
        "checkout.slo.openslo: bad.yaml: SLO sales: spec.timeWindow.duration: 1m is in minutes, "
        "too short to promise anything over; if months are meant, write 1M",
    ]
