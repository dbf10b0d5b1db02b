"""Which backups of an instance the rules keep."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, tzinfo

from shared.backups.ports import Backup
from shared.backups.retention.periods import period_of
from shared.backups.retention.rules import LAST, MAX_AGE, Retention


def rules_that_keep(
    newest_first: Sequence[Backup], retention: Retention, now: datetime, zone: tzinfo
) -> dict[str, tuple[str, ...]]:
    """The names of the rules that keep each backup, by its id; one that none keeps is left out.

    Of each tier's newest periods that have a backup, the newest backup is kept.
    """
    young = [
        (began, backup)
        for backup in newest_first
        if (began := backup.begin_time) and not is_too_old(backup, retention, now)
    ]
    if not retention.last and not retention.tiers:
        return {backup.id: (MAX_AGE,) for _, backup in young}
    rules: dict[str, list[str]] = defaultdict(list)
    for _, backup in young[: retention.last]:
        rules[backup.id].append(LAST)
    for tier, count in retention.tiers.items():
        newest_of: dict[object, str] = {}
        for began, backup in young:
            newest_of.setdefault(period_of(tier, began, zone), backup.id)
        for backup_id in list(newest_of.values())[:count]:
            rules[backup_id].append(tier.value)
    return {backup_id: tuple(names) for backup_id, names in rules.items()}


def is_too_old(backup: Backup, retention: Retention, now: datetime) -> bool:
    """Whether a backup is older than `max_age`."""
    return bool(retention.max_age and backup.begin_time and now - backup.begin_time > retention.max_age)
