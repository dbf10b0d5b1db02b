"""The plan of a restore: what the new instance will be, how long it takes, and what it does to the source."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timezone

import click

from cli.errors import WrongCall, did_you_mean
from cli.restore.selection import Point, Source
from shared.drills import Verified
from shared.errors import UnrestorableError
from shared.model import Flavor, Instance, NewInstance, Quota
from shared.restore import plan_restore


KINDS: Mapping[str, tuple[str, ...]] = {
    "Sharding": ("mongos", "shard", "config"),
    "ReplicaSet": ("replica",),
    "Single": ("single",),
}
"""The kinds of node of each mode (DDS API, Restoring Data to a New DB Instance, table 4)."""

CREATION = (6 * 60.0, 13 * 60.0)
"""Seconds that DDS takes to create an instance: the shortest and longest of published runs."""

FROM_BACKUP, TO_A_TIME = 40.0, 30.0
"""MB/s of a restore (DDS User Guide, Restoring Data to a New Instance, and Restoring to a Point in Time)."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{3,63}")
_DRILL = re.compile(r"(?i)drill-")
_FLAVOR = re.compile(r"(?P<kind>[a-z]+)=(?P<spec>[^,]*)(?P<more>(?:,(?:size|num)=[0-9]{1,5})*)")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants different from the source, by option. Each is None if it is as in the source.

    Attributes:
        flavors: by the kind of node: specification, GB of the disk, number. A part that is not given is None.
    """

    flavors: Mapping[str, tuple[str | None, int | None, int | None]]
    vpc: str | None = None
    subnet: str | None = None
    security_group: str | None = None
    availability_zone: str | None = None
    enterprise_project: str | None = None
    has_tls: bool | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A restore that is planned.

    Attributes:
        new: the request, without the password.
        size: of the data in KB; None if it is not known.
        quota: of the instance's mode; None if DDS does not say.
        price: of an hour of the new instance, if the user gave it.
        verified: the drill that proved the backup.
    """

    source: Source
    point: Point
    new: NewInstance
    size: int | None
    quota: Quota | None
    price: float | None = None
    verified: Verified | None = None

    @property
    def speed(self) -> float:
        """MB/s at which DDS restores the data."""
        return FROM_BACKUP if self.point.backup else TO_A_TIME

    @property
    def data_seconds(self) -> float | None:
        """How long the data takes; None if their size is not known."""
        return None if self.size is None else self.size / 1024 / self.speed

    @property
    def seconds(self) -> tuple[float, float]:
        """How long the restore takes, at least and at most, as far as the size of the data is known."""
        data = self.data_seconds or 0.0
        return CREATION[0] + data, CREATION[1] + data

    def warnings(self) -> Iterator[str]:
        """Yield a sentence for each thing to think about before the restore starts."""
        if self.source.instance and self.source.instance.actions:
            busy = ", ".join(self.source.instance.actions)
            yield f"The source is busy ({busy}). DDS allows one operation at a time and will probably refuse."
        if self.source.mode == "Single":
            yield "DDS sells no single-node specifications since July 2023 and may refuse to make such an instance."
        if self.source.instance is None:
            yield "The source was deleted, so that nothing can be compared with it afterwards."


def read_flavors(given: Sequence[str]) -> dict[str, tuple[str | None, int | None, int | None]]:
    """Return the parts of ``--flavor KIND=SPEC_CODE,size=GB,num=N``, by kind. Raises WrongCall."""
    kinds = [kind for kinds in KINDS.values() for kind in kinds]
    flavors: dict[str, tuple[str | None, int | None, int | None]] = {}
    for text in given:
        match = _FLAVOR.fullmatch(text)
        if match is None:
            raise WrongCall(
                f"--flavor: found {text!r}, expected KIND=SPEC_CODE, and where wanted ,size=GB and ,num=N behind it, "
                "such as replica=dds.mongodb.c6.large.2.repset,size=40"
            )
        kind = match["kind"]
        if kind not in kinds or kind in flavors:
            found = "twice" if kind in flavors else f"which is no kind of node{did_you_mean(kind, kinds)}"
            raise WrongCall(f"--flavor: found {kind!r} {found} Known: {', '.join(kinds)}")
        parts = dict(part.split("=") for part in match["more"].split(",") if part)
        size, number = parts.get("size"), parts.get("num")
        flavors[kind] = match["spec"] or None, int(size) if size else None, int(number) if number else None
    return flavors


def default_name(source: Source, point: Point) -> str:
    """Return the name of the new instance: that of the source and the time of its data.

    It does not depend on when the command runs, so that a second run finds the instance of the first.
    """
    moment = point.time or (point.backup and point.backup.begin_time)
    stamp = moment.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ") if moment else "restored"
    base = re.sub(r"[^A-Za-z0-9_-]", "-", source.name)[:47]
    return f"{base if base[:1].isalpha() else 'restored'}-{stamp}"


def check_name(name: str, instances: Sequence[Instance], hint: str) -> None:
    """Raise WrongCall if the new instance cannot have this name.

    DDS allows equal names. This command does not: the name tells whether the restore was already started, and nobody
    mistakes the copy for the original.
    """
    if not _NAME.fullmatch(name):
        raise WrongCall(
            f"--name: found {name!r}, expected 4 to 64 letters, digits, hyphens and underscores, a letter first"
        )
    if _DRILL.match(name):
        raise WrongCall(
            f"--name: found {name!r}, but instances whose names begin with drill- are restore drills, "
            "which drill_backups deletes: choose another name"
        )
    for instance in instances:
        if instance.name == name:
            raise WrongCall(
                f"an instance {name} exists already ({instance.id}, {instance.status}), and a restore never touches an "
                f"existing instance. If it is this restore, follow it: {hint}. Otherwise choose another --name"
            )


def plan_new(source: Source, point: Point, name: str, wish: Wish) -> NewInstance:
    """Return the request for the new instance: the source's own properties, and what the user wants different.

    Raises WrongCall for what does not fit the source, and for what has to be given because the source was deleted.
    """
    kinds = KINDS.get(source.mode, ())
    for kind in wish.flavors:
        if kinds and kind not in kinds:
            raise WrongCall(f"--flavor: found {kind!r}, but {source.name} is a {source.mode}: {', '.join(kinds)}")
    new = _as_source(source.instance, point, name, wish) if source.instance else _by_options(source, point, name, wish)
    for flavor in new.flavors:
        if flavor.size is not None and flavor.size % 10:
            raise WrongCall(f"--flavor {flavor.kind}: found a disk of {flavor.size} GB, expected a multiple of 10 GB")
    return new


def _as_source(instance: Instance, point: Point, name: str, wish: Wish) -> NewInstance:
    try:
        new = plan_restore(
            instance,
            name,
            backup=point.backup,
            time=point.time,
            enterprise_project_id=wish.enterprise_project,
            vpc_id=wish.vpc,
            subnet_id=wish.subnet,
            security_group_id=wish.security_group,
            availability_zone=wish.availability_zone,
            spec_codes={kind: spec for kind, (spec, _, _) in wish.flavors.items() if spec},
        )
    except UnrestorableError as error:
        raise click.ClickException(
            f"{error}. Give it by option: --flavor KIND=SPEC_CODE, --vpc, --subnet, --security-group, "
            "--availability-zone"
        ) from error
    flavors = []
    for flavor in new.flavors:
        _, size, number = wish.flavors.get(flavor.kind, (None, None, None))
        if size is not None and flavor.size is not None and size < flavor.size:
            raise WrongCall(
                f"--flavor {flavor.kind}: found a disk of {size} GB, expected at least the source's {flavor.size} GB"
            )
        flavors.append(replace(flavor, size=size or flavor.size, number=number or flavor.number))
    has_tls = new.has_tls if wish.has_tls is None else wish.has_tls
    return replace(new, flavors=tuple(flavors), has_tls=has_tls)


def _by_options(source: Source, point: Point, name: str, wish: Wish) -> NewInstance:
    """Return a request from the options alone, since nothing else says what the deleted source was."""
    network = {
        "--vpc": wish.vpc,
        "--subnet": wish.subnet,
        "--security-group": wish.security_group,
        "--availability-zone": wish.availability_zone,
    }
    missing = [option for option, value in network.items() if not value]
    flavors = []
    for kind in KINDS.get(source.mode, ()):
        spec, size, number = wish.flavors.get(kind, (None, None, None))
        lacks = [] if spec else ["SPEC_CODE"]
        lacks += ["size=GB"] if size is None and kind != "mongos" else []
        lacks += ["num=N"] if number is None and kind in ("mongos", "shard") else []
        if lacks:
            missing.append(f"--flavor {kind}={','.join(['SPEC_CODE', *lacks[not spec :]])}")
        flavors.append(Flavor(kind, number or 1, spec or "", size))
    if missing or not flavors:
        raise WrongCall(
            f"{source.name or source.id} ({source.mode or 'unknown mode'} {source.version}) was deleted, so that "
            f"nothing says what it was. Give {', '.join(missing)}. The disk must not be smaller than the source's was"
        )
    return NewInstance(
        name=name,
        backup_id=point.backup.id if point.backup else None,
        source_id=source.id,
        flavors=tuple(flavors),
        availability_zone=wish.availability_zone or "",
        vpc_id=wish.vpc or "",
        subnet_id=wish.subnet or "",
        security_group_id=wish.security_group or "",
        enterprise_project_id=wish.enterprise_project or "",
        has_tls=wish.has_tls is not False,
    )


def size_of(source: Source, point: Point) -> int | None:
    """Return how many KB are restored: the size of the backup, or what the source uses of its disks."""
    if point.backup:
        return point.backup.size
    used = [group.used for group in source.instance.groups if group.used is not None] if source.instance else []
    return round(sum(used) * 1024**2) if used else None


def check_quota(quota: Quota | None, mode: str) -> None:
    """Raise ClickException if the project may have no more instances of this mode."""
    if quota and quota.used >= quota.limit >= 0:
        raise click.ClickException(
            f"the quota is used up: {quota.used} of {quota.limit} {mode} instances. Delete one that is not needed any "
            "more, or ask for more in the console (My Quotas), then run again"
        )
