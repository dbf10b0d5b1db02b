"""The automatic backup policy of an instance (DDS API, Setting an Automated Backup Policy)."""

from dataclasses import replace

from localcloud.clock import text
from localcloud.dds import backups
from localcloud.dds.errors import dds_error
from localcloud.dds.facts import Policy
from localcloud.dds.instance_schemas import NewPolicy, ShownPolicy
from localcloud.dds.state import DdsState


EVERY_DAY = "1,2,3,4,5,6,7"
WEEK = 7


def show(state: DdsState, instance_id: str) -> ShownPolicy:
    """The policy in force. Raises DBS.280404 or DBS.200002 for an unknown instance."""
    policy = state.instance(instance_id).policy
    if policy is None:
        return ShownPolicy(keep_days=0)
    return ShownPolicy(
        keep_days=policy.keep_days,
        start_time=policy.start_time,
        period=policy.period,
        enable_incremental_backup=policy.incremental,
    )


def change(state: DdsState, instance_id: str, new: NewPolicy) -> None:
    """Put a policy in force; turning automatic backups on makes one at once.

    Raises DBS.280216 or 280215 for a window or days that do not fit, DBS.201000 and 200019 as creating a backup does.
    """
    now = state.present()
    instance = state.instance(instance_id)
    if new.keep_days == 0:
        state.instances.put(replace(instance, policy=None))
        return
    period = _check(new)
    before = instance.policy
    if before is None:
        backups.check_ready(state, instance, now)
    incremental = new.enable_incremental_backup
    if incremental is None:
        incremental = before.incremental if before else False
    policy = Policy(new.keep_days, new.start_time or "", period, incremental, since=now)
    instance = replace(instance, policy=policy)
    state.instances.put(instance)
    if before is None:
        name = f"auto-{instance.name}-{text(now, '%Y%m%d%H%M%S')}"
        backups.begin(state, instance, now, name=name, kind="Auto", keep_days=policy.keep_days)


def _check(new: NewPolicy) -> str:
    begin, _, end = (new.start_time or "").partition("-")
    if not begin or begin[3:] != end[3:] or (int(begin[:2]) + 1) % 24 != int(end[:2]):
        raise dds_error("DBS.280216")
    period = ",".join(sorted(set((new.period or "").split(","))))
    if not period or (new.keep_days < WEEK and period != EVERY_DAY):
        raise dds_error("DBS.280215")
    return period
