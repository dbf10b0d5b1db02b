"""The state of DDS: the stored facts, and what they amount to at a moment."""

import re
from dataclasses import replace

from localcloud.dds.automatic import automatic_backup, planned
from localcloud.dds.errors import dds_error
from localcloud.dds.facts import Backup, Instance, Job, JobKind, Policy
from localcloud.region import Region
from localcloud.store import Store


# Suffixes differ between documents (in01 in some examples), so any two digits are let through to the look-up.
INSTANCE_ID = re.compile(r"[0-9a-f]{32}in\d\d")


class DdsState:
    """The instances, backups and jobs of the project."""

    def __init__(self, region: Region, store: Store) -> None:
        self.region = region
        self.instances = store.table("instance", Instance)
        self.stored_backups = store.table("backup", Backup)
        self.jobs = store.table("job", Job)

    def present(self) -> float:
        """The present, after every automatic backup that is due by now has been made."""
        now = self.region.clock.now()
        for instance in tuple(self.instances):
            if instance.policy is not None:
                self._make_due(instance, instance.policy, now)
        return now

    @property
    def rate_kb(self) -> float:
        """How fast backups are made, in KB/s."""
        return self.region.switches.backup_rate * 1024

    def instance(self, instance_id: str) -> Instance:
        """The instance with this id. Raises DBS.280404 for what is no id, DBS.200002 for one that is unknown."""
        instance = self.instances.get(instance_id)
        if instance is not None:
            return instance
        raise dds_error("DBS.200002" if INSTANCE_ID.fullmatch(instance_id) else "DBS.280404")

    def backups(self, now: float) -> list[Backup]:
        """Every backup that exists at `now`; manual ones outlive their instance."""
        return [backup for backup in self.stored_backups if backup.status(now) is not None]

    def backup(self, backup_id: str, now: float) -> Backup:
        """The backup with this id that exists at `now`. Raises DBS.201214 when there is none."""
        backup = self.stored_backups.get(backup_id)
        if backup is None or backup.status(now) is None:
            raise dds_error("DBS.201214")
        return backup

    def operations(self, instance: Instance, now: float) -> tuple[str, ...]:
        """What is being done to the instance at `now`, as "actions" of the instance list has it."""
        running = any(backup.running(now) for backup in self.stored_backups if backup.instance_id == instance.id)
        return (*instance.actions_at(now), *(("BACKUP",) if running else ()))

    def keep(self, backup: Backup) -> None:
        """Keep a backup that begins, or that is stopped, with its job."""
        self.stored_backups.put(backup)
        self.jobs.put(
            Job(
                id=backup.job_id,
                kind=JobKind.BACKUP,
                instance_id=backup.instance_id,
                instance_name=backup.instance_name,
                begin=backup.begin,
                duration=backup.duration,
                fail_reason=backup.fail_reason,
            )
        )

    def _make_due(self, instance: Instance, policy: Policy, now: float) -> None:
        for moment in planned(instance, policy, now):
            others = [backup for backup in self.stored_backups if backup.instance_id == instance.id]
            backup = automatic_backup(instance, policy, moment, others, self.rate_kb)
            if backup.begin > now:
                return  # it waits for another one to end, and so do those after it
            self.keep(backup)
            self.instances.put(replace(instance, policy=replace(policy, since=moment)))
