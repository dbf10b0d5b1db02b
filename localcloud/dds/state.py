"""The state of DDS: the stored facts, and what they amount to at a moment."""

import re
from collections.abc import Iterator

from localcloud.dds.automatic import automatic_backups
from localcloud.dds.errors import dds_error
from localcloud.dds.facts import Backup, Instance, Job, JobKind
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
        self.stored_jobs = store.table("job", Job)

    def now(self) -> float:
        """The present of the region."""
        return self.region.clock.now()

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

    def backups_of(self, instance: Instance, now: float) -> list[Backup]:
        """The backups of an instance that exist at `now`, automatic ones included."""
        stored = [backup for backup in self.stored_backups if backup.instance_id == instance.id]
        automatic = automatic_backups(instance, stored, self.rate_kb, now) if instance.policy else []
        return [backup for backup in (*stored, *automatic) if backup.status(now) is not None]

    def backups(self, now: float) -> Iterator[Backup]:
        """Every backup that exists at `now`; manual ones outlive their instance."""
        yield from (backup for backup in self.stored_backups if backup.status(now) is not None)
        for instance in self.instances:
            if instance.policy is not None:
                yield from (b for b in self.backups_of(instance, now) if not self.stored_backups.get(b.id))

    def backup(self, backup_id: str, now: float) -> Backup | None:
        """The backup with this id that exists at `now`, or None."""
        stored = self.stored_backups.get(backup_id)
        if stored is not None:
            return stored if stored.status(now) is not None else None
        return next((backup for backup in self.backups(now) if backup.id == backup_id), None)

    def operations(self, instance: Instance, now: float) -> tuple[str, ...]:
        """What is being done to the instance at `now`, as "actions" of the instance list has it."""
        running = any(backup.running(now) for backup in self.backups_of(instance, now))
        return (*instance.actions_at(now), *(("BACKUP",) if running else ()))

    def jobs(self, now: float) -> Iterator[Job]:
        """Every job, those of automatic backups included."""
        yield from self.stored_jobs
        for backup in self.backups(now):
            if backup.type == "Auto" and self.stored_jobs.get(backup.job_id) is None:
                yield backup_job(backup)


def backup_job(backup: Backup) -> Job:
    """The job that makes a backup."""
    return Job(
        id=backup.job_id,
        kind=JobKind.BACKUP,
        instance_id=backup.instance_id,
        instance_name=backup.instance_name,
        begin=backup.begin,
        duration=backup.duration,
        fail_reason=backup.fail_reason,
    )
