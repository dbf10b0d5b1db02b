"""The API calls of an event: the table of docs/create_backup.md, computed and counted."""

import re
from collections import Counter
from pathlib import Path

import pytest

from cli.cost import calls
from shared.create.function import CreateBackupSettings
from tests.create.platform import EVENT, REQUESTS, Platform


PAGE = (Path(__file__).parent.parent.parent / "docs" / "create_backup.md").read_text(encoding="utf-8")
ROWS = {
    int(row[0].replace(",", "")): tuple(int(cell.replace(",", "")) for cell in row[1:])
    for row in re.findall(
        r"^\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", PAGE, re.MULTILINE
    )
}


ABOVE = CreateBackupSettings.model_fields["FAN_OUT_ABOVE"].default


@pytest.mark.parametrize("size", [1, 10, 100, 1000])
def test_the_table_has_the_computed_calls(size: int) -> None:
    """The columns are lists of instances, lists of backups, creates, notifications, and messages handed off."""
    made, messages = calls.fleet_calls(size, ABOVE), len(calls.portions(size, ABOVE))

    lists, notifications = (made[calls.LIST_INSTANCES], made[calls.LIST_BACKUPS]), made[calls.PUBLISH] - messages
    assert ROWS[size] == (*lists, made[calls.CREATE], notifications, messages)


@pytest.mark.parametrize("size", [1, 10, 100, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_table_has_the_counted_calls(size: int) -> None:
    """The column of lists of instances is left out, since the fake has no pages."""
    platform = Platform(size, REQUEST_TOPIC_URN=REQUESTS)

    platform.deliver_until_they_succeed(EVENT)

    counted = Counter(platform.dds.calls)
    platform.assert_each_instance_has_one_backup()
    assert ROWS[size][1:] == (
        counted["list"],
        counted["create"],
        len(platform.topic.sent),
        len(platform.requests.sent),
    )
