"""The plan, the progress and the end of a restore, for people and as JSON."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text
from typing_extensions import Self

from cli.backups.display import WIDTH
from cli.backups.listing import maker_of
from cli.console import print_line
from cli.json_value import Json, JsonObject
from cli.restore.follow import Seen, Started, State
from cli.restore.proposal import CREATION, Proposal
from shared.drills import Verified
from shared.errors import CloudError
from shared.format import duration, size, timestamp
from shared.model import Backup, Flavor, Instance, NewInstance


_LABEL = 13
_CLIENT_KINDS = ("mongos", "replica", "single")
_TLS = (
    " TLS is on: add tlsCAFile= with the certificate from the console, and, as the documents of DDS do, "
    "tlsAllowInvalidHostnames=true."
)


def print_plan(console: Console, proposal: Proposal, now: datetime) -> None:
    """Print what would be done, and what to think about before."""
    console.print(Text("Restore to a new instance", style="bold"))
    for label, lines in plan_lines(proposal, now):
        for number, line in enumerate(lines):
            print_line(console, f"{'' if number else label:<{_LABEL}}{line}", 2, hang=_LABEL, width=WIDTH)
    for warning in proposal.warnings():
        print_line(console, f"! {warning}", style="yellow", width=WIDTH)


def plan_lines(proposal: Proposal, now: datetime) -> Iterator[tuple[str, list[str]]]:
    """Yield the labels of the plan, each with its lines."""
    source, new = proposal.source, proposal.new
    gone = "" if source.instance else ", deleted"
    yield "source", [f"{source.name} ({source.id}), {source.mode} {source.version}{gone}"]
    yield ("backup" if proposal.point.backup else "time"), _point_lines(proposal, now)
    yield "new instance", [new.name, *_instance_lines(proposal, new)]
    yield "the source", ["stays as it is. Until the restore is over, DDS starts no backup of it and deletes none."]
    yield "duration", [_duration(proposal)]
    quota = proposal.quota
    yield "quota", [f"{quota.used} of {quota.limit} {source.mode} instances are in use" if quota else "not known"]
    if proposal.price is not None:
        yield "cost", [f"{proposal.price:,.2f} an hour, {proposal.price * 24:,.2f} a day, until you delete it"]


def _point_lines(proposal: Proposal, now: datetime) -> list[str]:
    point = proposal.point
    if point.backup is None:
        assert point.time  # noqa: S101 a point has one of both
        assert point.window  # noqa: S101 a time has a window
        begin, end = point.window
        return [
            f"{timestamp(point.time)}, {duration(now - point.time)} ago",
            f"DDS can restore any time from {timestamp(begin)} to {timestamp(end)}",
        ]
    backup, proof = point.backup, proposal.verified
    began = backup.begin_time
    age = f"{duration(now - began)} old, begun {timestamp(began)}" if began else "of unknown age"
    much = "unknown size" if backup.size is None else size(backup.size)
    verified = f"verified {timestamp(proof.time)}" if proof else "not verified by a drill of the last 30 days"
    return [f"{backup.name} ({backup.id})", f"{age}, {much}", f"made by {maker_of(backup)}, {verified}"]


def _instance_lines(proposal: Proposal, new: NewInstance) -> list[str]:
    disks = "encrypted disk" if new.disk_encryption_id else "disk not encrypted"
    return [
        f"{proposal.source.mode} {proposal.source.version}, TLS {'on' if new.has_tls else 'off'}, {disks}",
        *map(_flavor, new.flavors),
        f"VPC {new.vpc_id}",
        f"subnet {new.subnet_id}",
        f"security group {new.security_group_id}",
        f"zones {new.availability_zone}; enterprise project {new.enterprise_project_id or 'default'}",
        "billed by use, without automatic backups",
    ]


def _flavor(flavor: Flavor) -> str:
    disk = "" if flavor.size is None else f", {flavor.size} GB"
    return f"{flavor.kind}: {flavor.number} x {flavor.spec_code}{disk}"


def _duration(proposal: Proposal) -> str:
    shortest, longest = (round(seconds / 60) for seconds in proposal.seconds)
    create = f"{CREATION[0] / 60:.0f} to {CREATION[1] / 60:.0f} min to create it"
    if proposal.size is None or proposal.data_seconds is None:
        return f"{create}, and the time of the data, whose size is not known"
    data = f"{duration(max(1, proposal.data_seconds))} for {size(proposal.size)} at {proposal.speed:.0f} MB/s"
    return f"about {shortest} to {longest} min: {create}, {data}"


class Bar:
    """A progress bar, on a terminal."""

    def __init__(self, console: Console, name: str, expected: tuple[float, float] | None) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[said]}"))
        self._progress = Progress(*columns, TimeElapsedColumn(), console=console, transient=True)
        self._expected = expected
        self._bar: TaskID = self._progress.add_task(name, total=None, said="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def seen(self, seen: Seen, seconds: float) -> None:
        total = None if seen.percent is None else 100.0
        said = said_of(seen, seconds, self._expected)
        self._progress.update(self._bar, said=said, total=total, completed=seen.percent or 0.0)

    def failed(self, error: CloudError, seconds: float) -> None:
        self._progress.console.print(_failed(error, seconds), style="yellow", markup=False, soft_wrap=True)


class Lines:
    """A line for each change, for files and the logs of pipelines."""

    def __init__(self, console: Console, name: str, expected: tuple[float, float] | None) -> None:
        self._console = console
        self._name = name
        self._expected = expected
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def seen(self, seen: Seen, seconds: float) -> None:
        now = f"{seen.said} {seen.percent}"
        if now != self._last:
            self._last = now
            said = said_of(seen, seconds, self._expected)
            self._console.print(f"{seconds:6.0f} s  {self._name} {said}", markup=False, soft_wrap=True)

    def failed(self, error: CloudError, seconds: float) -> None:
        self._console.print(_failed(error, seconds), markup=False, soft_wrap=True)


def said_of(seen: Seen, seconds: float, expected: tuple[float, float] | None) -> str:
    """Return the state in words, with the percentage and how long it may still take."""
    percent = "" if seen.percent is None else f" {seen.percent:.0f}%"
    left = _left(seen, seconds, expected) if seen.state is State.RUNNING else ""
    return f"{seen.said}{percent}{left}"


def _left(seen: Seen, seconds: float, expected: tuple[float, float] | None) -> str:
    if expected:
        shortest, longest = (max(0.0, end - seconds) for end in expected)
        if longest:
            return f", {round(shortest / 60)} to {-(-longest // 60):.0f} min left"
        return f", longer than the {duration(expected[1])} that were expected"
    if seen.percent and seen.percent < 100:
        return f", about {duration(seconds / seen.percent * (100 - seen.percent))} left"
    return ""


def _failed(error: CloudError, seconds: float) -> str:
    return f"{seconds:6.0f} s  no answer ({error.code}: {error}), trying again"


def connection_string(instance: Instance) -> str:
    """Return the address for MongoDB's drivers, with a placeholder for the password.

    The replica set of every replica set instance is called "replica" (DDS Getting Started, Connecting to an Instance).
    """
    hosts = [host for group in instance.groups if group.kind in _CLIENT_KINDS for host in group.hosts]
    options = ["authSource=admin"]
    options += ["replicaSet=replica"] if instance.mode == "ReplicaSet" else []
    options += ["tls=true"] if instance.has_tls else []
    addresses = ",".join(f"{host}:{instance.port}" for host in dict.fromkeys(hosts))
    return f"mongodb://{instance.user}:<password>@{addresses}/?{'&'.join(options)}"


def checks(instance: Instance, source: str) -> Iterator[str]:
    """Yield what to do before the new instance is used."""
    yield (
        f"Connect as {instance.user}, from a machine that its security group lets in on port {instance.port}. In the "
        "password, write %40 for @, %23 for #, %25 for %, %3F for ?, %2B for +." + (_TLS if instance.has_tls else "")
    )
    yield (
        f"Count the documents of the collections that matter, look at the newest one, and compare both with {source}."
    )
    yield "Log in as each user of your applications. The documents leave open whether a restore brings users back."
    yield "Compare the parameter group: the new instance has the default one."
    yield (
        "Automatic backups are off. If the instance stays, switch them on in the console (Backups & Restorations, Set "
        "Backup Policy), and name or tag it so that create_backup and audit_backups select it."
    )
    yield (
        "If it does not stay, delete it in the console: it costs money until then. It then lies in the recycle bin for "
        "1 to 7 days."
    )


def print_end(console: Console, instance: Instance, seconds: float, source: str) -> None:
    """Print the connection string and what to check."""
    print_line(console, f"{instance.name} is restored, after {duration(seconds)}.", style="green", width=WIDTH)
    console.print(Text(f"\n  {connection_string(instance)}\n", style="bold"), soft_wrap=True)
    console.print("Before you use it:")
    for number, check in enumerate(checks(instance, source), start=1):
        print_line(console, f"{number}. {check}", hang=3, width=WIDTH)


def document(
    state: str, started: Started | None, seen: Seen | None, proposal: Proposal | None, now: datetime
) -> JsonObject:
    """Return the restore as JSON: times in UTC, durations in seconds, sizes in KB."""
    instance = seen.instance if seen and seen.state is State.COMPLETED else None
    return {
        "state": state,
        "instance_id": started.instance_id if started else None,
        "instance_name": started.name if started else proposal.new.name if proposal else None,
        "job_id": started.job_id if started else None,
        "began_at": timestamp(started.began) if started else None,
        "seconds": round(((started.ended or now) - started.began).total_seconds(), 1) if started else None,
        "said": seen.said if seen else None,
        "connection_string": connection_string(instance) if instance else None,
        "checks": list[Json](checks(instance, "the source")) if instance else [],
        "plan": _plan_document(proposal, now) if proposal else None,
    }


def _plan_document(proposal: Proposal, now: datetime) -> JsonObject:
    source, point, new = proposal.source, proposal.point, proposal.new
    backup, quota = point.backup, proposal.quota
    return {
        "source": {
            "instance_id": source.id,
            "instance_name": source.name,
            "exists": source.instance is not None,
            "mode": source.mode,
            "version": source.version,
        },
        "backup": _backup_document(backup, proposal.verified, now) if backup else None,
        "restore_time": timestamp(point.time),
        "new_instance": {
            "name": new.name,
            "flavors": _flavor_documents(new.flavors),
            "availability_zone": new.availability_zone,
            "vpc_id": new.vpc_id,
            "subnet_id": new.subnet_id,
            "security_group_id": new.security_group_id,
            "enterprise_project_id": new.enterprise_project_id,
            "disk_encryption_id": new.disk_encryption_id,
            "tls": new.has_tls,
        },
        "size": proposal.size,
        "expected_seconds": [round(seconds) for seconds in proposal.seconds],
        "quota": {"limit": quota.limit, "used": quota.used} if quota else None,
        "price_per_hour": proposal.price,
        "warnings": list[Json](proposal.warnings()),
    }


def _backup_document(backup: Backup, proof: Verified | None, now: datetime) -> JsonObject:
    return {
        "backup_id": backup.id,
        "name": backup.name,
        "begin_time": timestamp(backup.begin_time),
        "age": round((now - backup.begin_time).total_seconds()) if backup.begin_time else None,
        "size": backup.size,
        "made_by": maker_of(backup),
        "verified_at": timestamp(proof.time) if proof else None,
    }


def _flavor_documents(flavors: Sequence[Flavor]) -> list[Json]:
    return [{"type": f.kind, "num": f.number, "spec_code": f.spec_code, "size": f.size} for f in flavors]
