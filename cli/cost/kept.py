"""How many backups of an instance a rule of retention keeps in the long run."""

from datetime import datetime, timedelta, timezone

from shared.model import Backup
from shared.prune.retention import Retention, Tier


_LENGTHS = {
    Tier.HOURLY: timedelta(hours=1),
    Tier.DAILY: timedelta(days=1),
    Tier.WEEKLY: timedelta(weeks=1),
    Tier.MONTHLY: timedelta(days=31),
    Tier.YEARLY: timedelta(days=366),
}


def kept_backups(retention: Retention, every: timedelta, now: datetime) -> int:
    """Return how many are kept of backups that were made *every* so often for as long as a rule reaches."""
    reach = max([every * (retention.last + 1), *(_LENGTHS[t] * n for t, n in retention.tiers.items())])
    if retention.max_age:
        reach = max(reach, retention.max_age)
    made = [_made(now - every * number, number) for number in range(int(reach / every) + 1)]
    return len(retention.rules_that_keep(made, now, timezone.utc))


def _made(begin: datetime, number: int) -> Backup:
    return Backup(id=f"{number}", name="", instance_id="", status="COMPLETED", begin_time=begin)
