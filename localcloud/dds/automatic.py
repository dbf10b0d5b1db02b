"""Automatic backups: which of them a backup policy has due at a time."""

import math
import uuid
from collections.abc import Iterator, Sequence

from localcloud.clock import parse, text, utc
from localcloud.dds.facts import DAY, Backup, Instance, Policy


_NAMESPACE = uuid.UUID("8d2f7a54-2a4e-5c58-9a0f-3d2f0c1c7f11")


def due(instance: Instance, others: Sequence[Backup], rate_kb: float, now: float) -> list[tuple[float, Backup]]:
    """The automatic backups that have begun since policy.since, the oldest first, each with its planned time.

    One is planned for each day of the policy's period, at a time in its window that is another one each day and yet
    always the same. It begins later when one of `others`, the backups of the instance, is being made then. Those
    that keep_days has taken away since are left out. `rate_kb` is the speed in KB/s.
    """
    policy = instance.policy
    if policy is None or instance.status != "normal":
        return []
    made = []
    for moment in _moments(instance.id, policy, now):
        backup = _backup(instance, policy, moment, others, rate_kb)
        if backup.begin > now:
            break
        if backup.status(now) is not None:
            made.append((moment, backup))
    return made


def _moments(instance_id: str, policy: Policy, now: float) -> Iterator[float]:
    days = {int(day) for day in policy.period.split(",")}
    window = parse(policy.start_time[:5], "%H:%M") - parse("00:00", "%H:%M")
    # A window may reach over midnight, so the day before counts too.
    first = math.floor(max(policy.since, now - policy.keep_days * DAY) / DAY) - 1
    for day in range(first, math.floor(now / DAY) + 1):
        midnight = day * DAY
        moment = midnight + window + uuid.uuid5(_NAMESPACE, f"{instance_id}/{day}").int % 3000
        if utc(midnight).isoweekday() in days and policy.since < moment <= now:
            yield moment


def _backup(instance: Instance, policy: Policy, moment: float, others: Sequence[Backup], rate_kb: float) -> Backup:
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
