"""PrometheusRules become Prometheus' rule files, and those of deleted ones go."""

import json
from pathlib import Path
from typing import Any

from sandbox import rules

GROUP = {"name": "checkout", "rules": [{"record": "a", "expr": "1"}]}


def rule(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "shop", "name": name}, "spec": spec}


def test_each_object_is_a_rule_file_of_its_own() -> None:
    made = rules.files([rule("checkout", groups=[GROUP]), rule("empty")])
    assert {name: json.loads(content) for name, content in made.items()} == {
        "shop_checkout.yaml": {"groups": [GROUP]},
        "shop_empty.yaml": {"groups": []},
    }


def test_the_folder_holds_just_what_is_wanted_and_only_changes_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    both = rules.files([rule("checkout", groups=[GROUP]), rule("search", groups=[GROUP])])
    assert rules.write(folder, both)
    assert not rules.write(folder, both)
    one = rules.files([rule("checkout", groups=[])])
    assert rules.write(folder, one)
    assert {path.name: path.read_text() for path in folder.iterdir()} == one
