"""What an event costs in API calls: the table of docs/create_backup.md, counted."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.function.test_fleets import EVENT, REQUESTS, System


PAGE = (Path(__file__).parent.parent.parent / "docs" / "create_backup.md").read_text(encoding="utf-8")
ROWS = {
    int(row[0].replace(",", "")): tuple(int(cell.replace(",", "")) for cell in row[1:])
    for row in re.findall(
        r"^\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \|$", PAGE, re.MULTILINE
    )
}


def pages(items: int) -> int:
    """Lists are read 100 a call, to the first page that is not full."""
    return items // 100 + 1


@pytest.mark.parametrize("size", [1, 10, 100, 1000])
def test_the_table_is_what_is_counted(size: int) -> None:
    """Lists of instances, lists of backups, creates, notifications, messages handed on."""
    system = System(size, REQUEST_TOPIC_URN=REQUESTS)

    system.deliver(EVENT)

    counted = Counter(system.dds.calls)
    system.assert_each_instance_has_one_backup()
    lists = counted["list"]
    assert ROWS[size] == (pages(size), lists, counted["create"], len(system.topic.sent), len(system.requests.sent))
