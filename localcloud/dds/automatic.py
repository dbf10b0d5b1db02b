"""Automatic backups: when a backup policy plans them, and what they are."""

import math
import uuid
from collections.abc import Sequence

from localcloud.clock import text, utc
from localcloud.dds.facts import DAY, Backup, Instance, Policy


_NAMESPACE = uuid.UUID("8d2f7a54-2a4e-5c58-9a0f-3d2f0c1c7f11")


def planned(instance: Instance, policy: Policy, now: float) -> list[float]:
    """When automatic backups should have begun since policy.since, the oldest first, as far as they would be kept.

    That is on each day of the policy's period, at a time in its window that is another one each day and yet always
    the same.
    """
    if instance.status != "normal":
        return []
    days = {int(day) for day in policy.period.split(",")}
    window = 3600 * int(policy.start_time[:2]) + 60 * int(policy.start_time[3:5])
    # A window may reach over midnight, so the day before counts too.
    first = math.floor(max(policy.since, now - policy.keep_days * DAY) / DAY) - 1
    moments = (
        day * DAY + window + uuid.uuid5(_NAMESPACE, f"{instance.id}/{day}").int % 3000
        for day in range(first, math.floor(now / DAY) + 1)
        if utc(day * DAY).isoweekday() in days
    )
    return [moment for moment in moments if policy.since < moment <= now]


def automatic_backup(
    instance: Instance, policy: Policy, moment: float, others: Sequence[Backup], rate_kb: float
) -> Backup:
    """The automatic backup that was planned for `moment`, made at `rate_kb` KB/s.

    It begins later when one of `others`, the backups of the instance, is being made then.
    """
    begin = moment
    for other in sorted(others, key=lambda backup: backup.begin):
        if other.running(begin):
            begin = other.end
    identity = uuid.uuid5(_NAMESPACE, f"{instance.id}/{moment}")
    return Backup(
        id=f"{identity.hex}br02",
        name=f"auto-{instance.name}-{text(moment, '%Y%m%d%H%M%S')}",
        type="Auto",
        instance_id=instance.id,
        instance_name=instance.name,
        instance_mode=instance.mode,
        version=instance.version,
        description="",
        job_id=str(uuid.uuid5(identity, "job")),
        begin=begin,
        duration=max(1.0, instance.data_kb / rate_kb),
        size_kb=instance.data_kb,
        fail_reason=instance.fails_with,
        expires_at=begin + policy.keep_days * DAY,
    )
