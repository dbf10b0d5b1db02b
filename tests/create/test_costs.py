"""What an event costs in API calls: the table of docs/create_backup.md, computed and counted."""

import re
from collections import Counter
from pathlib import Path

import pytest

from cli.cost import calls
from shared.create.function import CreateBackupSettings
from tests.create.test_fleets import EVENT, REQUESTS, System


PAGE = (Path(__file__).parent.parent.parent / "docs" / "create_backup.md").read_text(encoding="utf-8")
ROWS = {
    int(row[0].replace(",", "")): tuple(int(cell.replace(",", "")) for cell in row[1:])
    for row in re.findall(
        r"^\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", PAGE, re.MULTILINE
    )
}


ABOVE = CreateBackupSettings.model_fields["FAN_OUT_ABOVE"].default


@pytest.mark.parametrize("size", [1, 10, 100, 1000])
def test_the_table_is_what_is_computed(size: int) -> None:
    """Lists of instances, lists of backups, creates, notifications, messages handed on."""
    made, messages = calls.fleet_calls(size, ABOVE), len(calls.portions(size, ABOVE))

    lists, notifications = (made[calls.LIST_INSTANCES], made[calls.LIST_BACKUPS]), made[calls.PUBLISH] - messages
    assert ROWS[size] == (*lists, made[calls.CREATE], notifications, messages)


@pytest.mark.parametrize("size", [1, 10, 100, 1000])
def test_the_table_is_what_is_counted(size: int) -> None:
    """But for the pages of the list of instances, which the fake has not."""
    system = System(size, REQUEST_TOPIC_URN=REQUESTS)

    system.deliver(EVENT)

    counted = Counter(system.dds.calls)
    system.assert_each_instance_has_one_backup()
    assert ROWS[size][1:] == (
        counted["list"],
        counted["create"],
        len(system.topic.sent),
        len(system.requests.sent),
    )
