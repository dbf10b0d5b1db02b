"""What one event costs in API calls, when nothing goes wrong: formulas that the tables of docs/ and the tests share.

Each returns how often an operation is called, by the names that `Permissions` has in the template.
"""

from collections import Counter

from shared.cloud import operations


Calls = Counter[str]

CREATE = operations.CREATE_MANUAL_BACKUP.name
DELETE = operations.DELETE_MANUAL_BACKUP.name
LIST_BACKUPS = operations.LIST_BACKUPS.name
LIST_INSTANCES = operations.LIST_INSTANCES.name
LIST_TASKS = operations.LIST_TASKS.name
PUBLISH = operations.PUBLISH_MESSAGE.name

PAGE = 100
"""Items a page, the most that DDS gives (DDS API, Querying the Backup List, limit)."""


def pages(items: int) -> int:
    """Return the calls that read a list to its end: a full page is followed by another look."""
    return items // PAGE + 1


def create_calls(instances: int, *, selected: bool = False, has_min_interval: bool = False) -> Calls:
    """An invocation of create_backup that backs up so many instances itself, named, or selected of as many there are.

    Of *min_interval* no backup is younger.
    """
    return Counter(
        {
            LIST_INSTANCES: pages(instances) if selected else 0,
            LIST_BACKUPS: 2 if has_min_interval else 1,
            CREATE: instances,
            PUBLISH: instances,
        }
    )


def portions(instances: int, fan_out_above: int) -> list[int]:
    """Return how many instances are in each message that hands a selection on; none if one invocation does it all."""
    if instances <= fan_out_above:
        return []
    return [min(fan_out_above, instances - start) for start in range(0, instances, fan_out_above)]


def hand_on_calls(instances: int, messages: int) -> Calls:
    """The invocation of create_backup that selects so many instances and only hands them on."""
    return Counter({LIST_INSTANCES: pages(instances), PUBLISH: messages})


def fleet_calls(instances: int, fan_out_above: int) -> Calls:
    """An event that selects so many instances, in all its invocations."""
    handed_on = portions(instances, fan_out_above)
    if not handed_on:
        return create_calls(instances, selected=True)
    return sum(map(create_calls, handed_on), start=hand_on_calls(instances, len(handed_on)))


def track_calls(listed: int, happened: int, tasks: int) -> Calls:
    """A tick of track_backups.

    *listed* backups began in the span that it follows, *happened* have something to be announced, and DDS did *tasks*
    in the span in which those began.
    """
    return Counter(
        {LIST_BACKUPS: pages(listed), LIST_TASKS: pages(tasks) if happened else 0, PUBLISH: happened},
    )


def prune_calls(backups: int, deleted: int) -> Calls:
    """A run of prune_backups in a project with so many manual backups, whoever made them."""
    return Counter({LIST_BACKUPS: pages(backups), DELETE: deleted, PUBLISH: 1})


def audit_calls(instances: int, backups: int, findings: int = 0) -> Calls:
    """An audit of a project with so many instances and manual backups; *findings* are published one by one."""
    return Counter({LIST_INSTANCES: pages(instances), LIST_BACKUPS: pages(backups), PUBLISH: 1 + findings})


def dds_calls(calls: Calls) -> int:
    """Return how many of the calls go to DDS, whose calls a minute are limited."""
    return sum(count for operation, count in calls.items() if operation.startswith("DDS."))
