"""The state of DDS: the stored instances, backups and jobs, and how they change with time."""

import math
import uuid
from collections.abc import Callable
from dataclasses import replace

from localcloud.clock import text
from localcloud.dds.content_faults import NO_FAULT, BackupFault, ContentFault
from localcloud.dds.contents import Contents
from localcloud.dds.errors import dds_error
from localcloud.dds.model import DAY, INSTANCE_ID, NAMESPACE, Backup, Instance, Job, JobKind, Policy, Restore
from localcloud.dds.recycle_bin import RecycleBin
from localcloud.mongo.content import Content
from localcloud.region import Region
from localcloud.store import Store


class DdsState:
    """The instances, backups and jobs of the project, and what the instances and backups hold."""

    def __init__(self, region: Region, store: Store) -> None:
        self.region = region
        self.instances = store.table("instance", Instance)
        self.stored_backups = store.table("backup", Backup)
        self.jobs = store.table("job", Job)
        self.contents = Contents(store)
        self.restores = store.table("restore", Restore)
        self.recycle_bin = RecycleBin(store)
        self.backup_faults = store.table("backup_fault", BackupFault)
        self.address: Callable[[Instance], tuple[str, int] | None] = lambda _: None
        """Where the data plane of an instance listens. A cloud that is not served has none."""

    def present(self) -> float:
        """Finish what is due, create the automatic backups that are due, and return the current time.

        Instances that were being created are ready, and those that were being deleted are gone.
        """
        now = self.region.clock.now()
        for instance in tuple(self.instances):
            if instance.ready_at is not None and instance.ready_at <= now:
                self._finish_creation(instance, instance.ready_at)
        for instance in tuple(self.instances):
            if instance.policy is not None and instance.status == "normal" and instance.gone_at is None:
                self._create_due_backups(instance, instance.policy, now)
        gone = [(one.gone_at, one) for one in self.instances if one.gone_at is not None and one.gone_at <= now]
        for gone_at, instance in sorted(gone, key=lambda item: item[0]):
            self._remove(instance, gone_at)
        return now

    @property
    def rate_kb(self) -> float:
        """The speed of backups in KB/s."""
        return self.region.switches.backup_rate * 1024

    def instance(self, instance_id: str) -> Instance:
        """The instance with this id. Raises DBS.280404 for a malformed id, DBS.200002 for an unknown one."""
        instance = self.instances.get(instance_id)
        if instance is not None:
            return instance
        raise dds_error("DBS.200002" if INSTANCE_ID.fullmatch(instance_id) else "DBS.280404")

    def backups(self, now: float) -> list[Backup]:
        """The backups that exist at `now`. Manual backups outlive their instance."""
        return [backup for backup in self.stored_backups if backup.status(now) is not None]

    def backup(self, backup_id: str, now: float) -> Backup:
        """The backup with this id that exists at `now`. Raises DBS.201214 if there is none."""
        backup = self.stored_backups.get(backup_id)
        if backup is None or backup.status(now) is None:
            raise dds_error("DBS.201214")
        return backup

    def fault_of(self, backup_id: str) -> ContentFault:
        """What is wrong with a backup."""
        found = self.backup_faults.get(backup_id)
        return NO_FAULT if found is None else found.fault

    def operations(self, instance: Instance, now: float) -> tuple[str, ...]:
        """The operations in progress on an instance at `now`, as in "actions" of the instance list."""
        running = any(backup.instance_id == instance.id and backup.running(now) for backup in self.stored_backups)
        restoring = any(restore.running(now) for restore in self.restores if restore.source_id == instance.id)
        return (
            *instance.actions_at(now),
            *(("BACKUP",) if running else ()),
            *(("RESTORE_TO_NEW_INSTANCE",) if restoring else ()),
            *(("DELETE_INSTANCE",) if instance.gone_at is not None else ()),
        )

    def check_idle(self, instance: Instance, now: float) -> None:
        """Raise DBS.200019 if an operation is in progress: an instance allows one at a time."""
        if self.operations(instance, now):
            raise dds_error("DBS.200019")

    def is_restoring(self, backup: Backup, now: float) -> bool:
        """Whether a restore of the backup or of its instance is in progress at `now`."""
        instance = self.instances.get(backup.instance_id)
        return (instance is not None and "RESTORING" in instance.actions_at(now)) or any(
            restore.running(now)
            for restore in self.restores
            if restore.backup_id == backup.id or restore.source_id == backup.instance_id
        )

    def begin_backup(
        self,
        instance: Instance,
        begin: float,
        name: str,
        *,
        description: str = "",
        automatic: bool = False,
        keep_days: int | None = None,
        identity: uuid.UUID | None = None,
    ) -> Backup:
        """Store a backup that starts at `begin`, with its job.

        It has what the instance held at `begin`, and is kept forever unless `keep_days` is given. Its ids are derived
        from `identity`, which is random by default.
        """
        identity = identity or self.region.new_id()
        backup = Backup(
            id=f"{identity.hex}br02",
            name=name,
            type="Auto" if automatic else "Manual",
            instance_id=instance.id,
            instance_name=instance.name,
            instance_mode=instance.mode,
            version=instance.version,
            description=description,
            job_id=str(uuid.uuid5(identity, "job")),
            begin=begin,
            duration=max(1.0, instance.data_kb / self.rate_kb),
            size_kb=instance.data_kb,
            disk_gb=instance.spec.disk_gb,
            fail_reason=instance.fails_with,
            expires_at=None if keep_days is None else begin + keep_days * DAY,
        )
        self.keep(backup)
        self.contents.put(backup.id, self.content_at(instance.id, begin), begin)
        return backup

    def content(self, identity: str) -> Content:
        """What an instance holds now, or what a backup has. Empty for an unknown id."""
        return self.contents.now(identity)

    def content_at(self, instance_id: str, time: float) -> Content:
        """What an instance held at `time`, as far as the local cloud knows: see `Contents.at`."""
        return self.contents.at(instance_id, time)

    def write(self, instance_id: str, content: Content) -> None:
        """Replace what an instance holds. Automatic backups that are due by now have what it held before."""
        self.contents.write(instance_id, content, self.present())

    def keep(self, backup: Backup) -> None:
        """Store a new or stopped backup together with its job."""
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

    def begin_job(
        self, kind: JobKind, subject: Instance | Backup, now: float, seconds: float, fail_reason: str | None = None
    ) -> Job:
        """Store a job about an instance, or about the instance of a backup."""
        instance_id, name = (
            (subject.instance_id, subject.instance_name) if isinstance(subject, Backup) else (subject.id, subject.name)
        )
        job = Job(
            id=str(self.region.new_id()),
            kind=kind,
            instance_id=instance_id,
            instance_name=name,
            begin=now,
            duration=seconds,
            fail_reason=fail_reason,
        )
        self.jobs.put(job)
        return job

    def _finish_creation(self, instance: Instance, ready_at: float) -> None:
        status = instance.becomes if instance.status == "creating" else instance.status
        policy = instance.policy and replace(instance.policy, since=ready_at)
        instance = replace(instance, status=status, ready_at=None, policy=policy)
        self.instances.put(instance)
        if policy is not None and status == "normal":
            # "Once the automated backup policy is enabled, a full backup is triggered immediately" (user manual).
            name = automatic_name(instance, ready_at)
            self.begin_backup(instance, ready_at, name, automatic=True, keep_days=policy.keep_days)

    def _remove(self, instance: Instance, gone_at: float) -> None:
        """Manual backups outlive their instance, automatic ones do not (DDS user manual, Deleting a DB Instance)."""
        self.instances.remove(instance.id)
        self.contents.remove(instance.id)
        for backup in self._backups_of(instance):
            if backup.type == "Auto" and backup.gone_at is None:
                self.stored_backups.put(replace(backup, deleted_at=gone_at, gone_at=gone_at))
        self.recycle_bin.put(instance, gone_at)

    def _create_due_backups(self, instance: Instance, policy: Policy, now: float) -> None:
        for due in policy.due(instance.id, now):
            begin = self._free_from(instance, due)
            if begin > now:
                return  # it waits for another backup to end, and so do the later ones
            self.begin_backup(
                instance,
                begin,
                automatic_name(instance, due),
                automatic=True,
                keep_days=policy.keep_days,
                identity=uuid.uuid5(NAMESPACE, f"{instance.id}/{due}"),
            )
            self.instances.put(replace(instance, policy=replace(policy, since=due)))

    def _free_from(self, instance: Instance, begin: float) -> float:
        """The first time from `begin` on at which no backup, restore or other operation is in progress."""
        spans = [(backup.begin, backup.end) for backup in self._backups_of(instance)]
        spans += [(restore.begin, restore.end) for restore in self.restores if restore.source_id == instance.id]
        if instance.actions and instance.busy_until is not None:
            spans.append((-math.inf, instance.busy_until))
        for start, end in sorted(spans):
            if start <= begin < end:
                begin = end
        return begin

    def _backups_of(self, instance: Instance) -> list[Backup]:
        return [backup for backup in self.stored_backups if backup.instance_id == instance.id]


def automatic_name(instance: Instance, begin: float) -> str:
    """The name of an automatic backup of an instance."""
    return f"auto-{instance.name}-{text(begin, '%Y%m%d%H%M%S')}"
