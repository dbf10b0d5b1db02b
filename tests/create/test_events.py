"""What create_backup publishes is what docs/events says."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from shared.bootstrap import create_backup
from shared.errors import BusyError, DeniedError, InvalidError
from tests.fakes import INSTANCES, A, FakeClock, FakeCloud, FakeContext, FakeDds, FakeTopic, Steady, fake_connect


SCHEMAS = Path(__file__).parent.parent.parent / "docs" / "events"
URN = "urn:smn:cn-north-4:0162c0f220284698b77a3d264376343a:dds-backups"


def published(
    request: dict[str, Any], *, fault: Any = None, busy_for: float = 0.0, times: int = 1, **settings: str
) -> dict[str, Any]:
    """The event that the last of several deliveries publishes."""
    clock, topic = FakeClock(), FakeTopic()
    dds = FakeDds(clock, create_faults=[fault], busy_until={A: busy_for})
    context = FakeContext({"NOTIFY_TOPIC_URN": URN, "MAX_CONCURRENCY": "1", **settings})
    cloud = FakeCloud(dds, topic)
    function = create_backup(connect=fake_connect(cloud), clock=clock, rng=Steady(), environment={})
    for _ in range(times):
        function.handle(request, context)
    event: dict[str, Any] = json.loads(topic.sent[-1].body)
    return event


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "created": ("started", {"request": {"instance_ids": [A]}}),
    "with a warning": ("started", {"request": {"instance_ids": [A], "description": "x" * 256}}),
    "found again": ("started", {"request": {"instance_ids": [A]}, "times": 2}),
    "busy, skipped": ("skipped", {"request": {"instance_ids": [A]}, "fault": BusyError("x"), "ON_BUSY": "skip"}),
    "busy to the end": ("deferred", {"request": {"instance_ids": [A]}, "busy_for": 10_000.0}),
    "denied": ("failed", {"request": {"instance_ids": [A]}, "fault": DeniedError("x", cloud_code="DBS.2")}),
    "invalid": ("failed", {"request": {"instance_ids": [A]}, "fault": InvalidError("x")}),
    "not allowed": ("failed", {"request": {"instance_ids": [A]}, "ALLOWED_INSTANCES": INSTANCES[1]}),
    "no request": ("rejected", {"request": {"instance_ids": []}}),
    "no event": ("rejected", {"request": {"key": "value"}}),
}


@pytest.mark.parametrize("case", CASES)
def test_each_event_fits_its_schema(case: str) -> None:
    """Type by type, with all the fields that it may have."""
    kind, given = CASES[case]
    schema = json.loads((SCHEMAS / f"dds.backup.{kind}.schema.json").read_text(encoding="utf-8"))

    event = published(**given)

    assert event["type"] == f"dds.backup.{kind}"
    jsonschema.validate(event, schema, cls=jsonschema.Draft202012Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**event, "more": 1}, schema, cls=jsonschema.Draft202012Validator)
