"""Whatever stands in a template, the preflight ends in a report."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.paths import CHECKOUT
from cli.preflight.display import as_document
from cli.preflight.report import check_template


TEXT = (CHECKOUT / "template.yaml").read_text(encoding="utf-8")
VALUES: list[Any] = [
    *(None, 0, -1, 1.5, True, 10**30, "", "x", "a" * 5000, "{", "\u2028", "Rate", "DISABLED"),
    *("${Prefix}", "${Nope}", "${NotifyTopic}", "${Logs}", "KAFKA", "SMN", "HC::SMN::Topic", "HC::LTS::Group"),
    *([], {}, ["a"], {"a": 1}, [[1]]),
]
"""What takes the place of a value of the template."""


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every value inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_value_anywhere(tmp_path: Path, data: st.DataObject) -> None:
    """It raises nothing, its findings are JSON, and what is left out of the template is an error."""
    document = yaml.safe_load(TEXT)
    for _ in range(data.draw(st.integers(1, 3))):
        *around, key = data.draw(st.sampled_from(list(places(document)) or [("Resources",)]))
        parent = document
        for step in around:
            parent = parent[step]
        parent[key] = data.draw(st.sampled_from(VALUES))
    file = tmp_path / "template.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")

    report = check_template(file, {"InstanceId": "x"})

    assert json.dumps(as_document(report))
    assert report.is_whole or not report.ok
