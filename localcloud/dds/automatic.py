"""Automatic backups: computed from an instance's backup policy and the time, never stored."""

import uuid
from collections.abc import Iterator, Sequence

from localcloud.clock import parse, text, utc
from localcloud.dds.facts import Backup, Instance, Policy


DAY = 86_400.0
_NAMESPACE = uuid.UUID("8d2f7a54-2a4e-5c58-9a0f-3d2f0c1c7f11")


def automatic_backups(instance: Instance, manual: Sequence[Backup], rate_kb: float, now: float) -> list[Backup]:
    """The automatic backups that the policy has made of `instance` and still keeps at `now`, the oldest first.

    One begins each day of the policy's period somewhere in its window, later when one of `manual` is running then,
    and is kept for keep_days. `rate_kb` is the speed in KB/s.
    """
    policy = instance.policy
    if policy is None or instance.status != "normal":
        return []
    made = (
        _backup(instance, moment, manual, rate_kb)
        for moment in _moments(instance.id, policy, now)
        if moment >= policy.since
    )
    return [backup for backup in made if backup.begin <= now]


def _moments(instance_id: str, policy: Policy, now: float) -> Iterator[float]:
    days = {int(day) for day in policy.period.split(",")}
    midnight = now - now % DAY
    for ago in range(policy.keep_days, -1, -1):
        date = midnight - ago * DAY
        if utc(date).isoweekday() in days:
            window = parse(policy.start_time[:5], "%H:%M") - parse("00:00", "%H:%M")
            moment = date + window + uuid.uuid5(_NAMESPACE, f"{instance_id}{date}").int % 3000
            if moment > now - policy.keep_days * DAY:
                yield moment


def _backup(instance: Instance, moment: float, manual: Sequence[Backup], rate_kb: float) -> Backup:
    begin = moment
    for other in manual:
        if other.running(begin):
            begin = other.end
    identity = uuid.uuid5(_NAMESPACE, f"{instance.id}{moment}")
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
    )
