"""The seed: the file that describes what the local cloud starts with, and how it becomes facts."""

import math
import re
import uuid
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from localcloud.clock import text
from localcloud.dds.content_faults import BackupFault, ContentFault
from localcloud.dds.model import DAY, Backup, Instance, Policy
from localcloud.dds.specification import SECURITY_GROUP, SUBNET, VPC, Mode, Specification, usual_flavors
from localcloud.dds.state import DdsState
from localcloud.seed_content import DEFAULT, SeedContent, make_content
from localcloud.smn.schemas import NewTopic
from localcloud.smn.service import create_topic
from localcloud.smn.state import Protocol, SmnState, Subscription
from localcloud.strict import Strict


BUILT_IN = Path(__file__).with_name("seed.yaml")
HOUR = 3600.0
GB_IN_KB = 1024**2
# YAML has lists, frozen models have tuples.
FROM_LIST = Field(strict=False)
# The password of rwuser of every instance of the seed.
RWUSER = "LocalCloud-1"
# The states of an instance that holds nothing yet.
WITHOUT_CONTENT = ("creating", "createfail")
REGION = re.compile("[a-z0-9]+(-[a-z0-9]+)+")
_NAMESPACE = uuid.UUID("f3a0b6ce-9d0f-5ab2-8f49-4d0f5f0c9a31")


class NamedId(Strict):
    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    name: str


class SeedCredentials(Strict):
    """The credentials with `fixed_credentials`. They never expire. Without a security_token the key is permanent."""

    access_key: str
    secret_key: str
    security_token: str | None
    token: str


class SeedPolicy(Strict):
    keep_days: Annotated[int, Field(ge=1, le=732)]
    start_time: Annotated[str, Field(pattern=r"^(\+\d+h|\d\d:\d\d-\d\d:\d\d)$")]
    period: Annotated[str, Field(pattern="^[1-7](,[1-7]){0,6}$")]
    incremental: bool = False
    history_days: Annotated[float, Field(ge=0)] = 0

    def window(self, now: float) -> str:
        """The window as hh:mm-HH:MM in UTC. "+6h" begins six hours after `now`, at the next quarter of an hour."""
        if not self.start_time.startswith("+"):
            return self.start_time
        begin = now + int(self.start_time[1:-1]) * HOUR
        begin = math.ceil(begin / (HOUR / 4)) * (HOUR / 4)
        return f"{text(begin, '%H:%M')}-{text(begin + HOUR, '%H:%M')}"


class SeedInstance(Strict):
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}in\d\d$")]
    name: str
    mode: Mode
    status: str = "normal"
    version: str = "4.4"
    remark: str = ""
    data_gb: Annotated[float, Field(ge=0)] = 0.5
    volume_gb: Annotated[int, Field(ge=10, le=2000, multiple_of=10)] = 10
    vpc_id: str = VPC
    subnet_id: str = SUBNET
    security_group_id: str = SECURITY_GROUP
    availability_zone: str = ""
    prepaid: bool = False
    days_old: Annotated[float, Field(ge=0)] = 1
    enterprise_project_id: str = "0"
    hidden_node: str = "normal"
    actions: Annotated[tuple[str, ...], FROM_LIST] = ()
    busy_for: float | None = None
    fails_with: str | None = None
    tags: Annotated[dict[str, str], Field(default_factory=dict)]
    backup_policy: SeedPolicy | None = None
    ssl: bool = True
    password: str = RWUSER
    content: SeedContent | None = None


class SeedBackup(Strict):
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}br\d\d$")]
    name: Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_-]{3,63}$")]
    instance_id: str
    instance_name: str = ""
    description: str = ""
    days_old: Annotated[float, Field(gt=0)]
    fails_with: str | None = None
    content: SeedContent | None = None
    fault: ContentFault | None = None


class SeedSubscription(Strict):
    protocol: Protocol
    endpoint: str
    remark: str = ""
    confirmed: bool = True


class SeedTopic(Strict):
    name: str
    display_name: str = ""
    subscriptions: Annotated[tuple[SeedSubscription, ...], FROM_LIST] = ()


class Seed(Strict):
    """The seed file. Ages are days before the start, sizes are GB."""

    region: str
    project: NamedId
    domain: NamedId
    credentials: SeedCredentials
    instances: Annotated[tuple[SeedInstance, ...], FROM_LIST]
    backups: Annotated[tuple[SeedBackup, ...], FROM_LIST] = ()
    topics: Annotated[tuple[SeedTopic, ...], Field(min_length=1, strict=False)]


REQUIRED = {name for name, field in Seed.model_fields.items() if field.is_required()}


def load_seed(path: Path | None = None, region: str | None = None) -> Seed:
    """Read the built-in seed with what a seed file changes. `region` replaces the region.

    In `instances` and `backups`, an entry with a known id changes that one, in `topics` one with a known name; other
    entries are added. A file with all required keys replaces the built-in seed.

    Raises ValueError with the file and the problems, OSError if it cannot be read.
    """
    if path is None and region is None:
        return _built_in()
    change = _read(path) if path else {}
    is_whole = isinstance(change, dict) and change.keys() >= REQUIRED
    content = change if is_whole else _read(BUILT_IN)
    region = region or (change.get("region") if isinstance(change, dict) else None)
    if isinstance(region, str) and isinstance(content.get("region"), str):
        content = _in_region(content, region)
        change = change | {"region": region} if isinstance(change, dict) else change
    return _checked(content if is_whole else _overlaid(content, change), path or BUILT_IN)


@cache
def _built_in() -> Seed:
    return _checked(_read(BUILT_IN), BUILT_IN)


def _in_region(content: Any, region: str) -> Any:
    """The content with another region, whose name is also in URNs and that of the project."""
    if not REGION.fullmatch(region):
        raise ValueError(f"a region has lower-case letters, digits and hyphens, such as cn-east-3, not {region!r}")
    return yaml.safe_load(yaml.safe_dump(content).replace(content["region"], region))


def _overlaid(base: Any, change: Any) -> Any:
    if isinstance(base, dict) and isinstance(change, dict):
        return base | {key: _overlaid(base.get(key), value) for key, value in change.items()}
    if isinstance(base, list) and isinstance(change, list) and all(map(_key, [*base, *change])):
        entries = {_key(entry): entry for entry in base}
        for entry in change:
            entries[_key(entry)] = _overlaid(entries.get(_key(entry)), entry)
        return list(entries.values())
    return change


def _key(entry: Any) -> str | None:
    """What tells an entry of a list apart: its id, or the name of a topic. Subscriptions have neither."""
    key = (entry.get("id") or entry.get("name")) if isinstance(entry, dict) else None
    return key if isinstance(key, str) else None


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not YAML: {error}") from error


def _checked(content: Any, path: Path) -> Seed:
    try:
        return Seed.model_validate(content)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors(include_url=False))
        raise ValueError(f"{path}: {problems}") from error


def plant(seed: Seed, dds: DdsState, smn: SmnState) -> None:
    """Fill empty state with what the seed describes, relative to the present."""
    now = dds.present()
    for instance in seed.instances:
        dds.instances.put(_instance(instance, now))
    for backup in seed.backups:
        _plant_backup(backup, dds, now)
        if backup.fault is not None:
            dds.backup_faults.put(BackupFault(backup.id, backup.fault))
    _plant_contents(seed, dds, now)
    for topic in seed.topics:
        _plant_topic(topic, smn)


def _instance(seed: SeedInstance, now: float) -> Instance:
    return Instance(
        id=seed.id,
        name=seed.name,
        mode=seed.mode,
        status=seed.status,
        version=seed.version,
        created=now - seed.days_old * DAY,
        remark=seed.remark,
        data_kb=int(seed.data_gb * GB_IN_KB),
        spec=Specification(
            flavors=usual_flavors(seed.mode, seed.volume_gb),
            vpc_id=seed.vpc_id,
            subnet_id=seed.subnet_id,
            security_group_id=seed.security_group_id,
            availability_zone=seed.availability_zone,
            pay_mode="1" if seed.prepaid else "0",
        ),
        enterprise_project_id=seed.enterprise_project_id,
        hidden_node=seed.hidden_node,
        actions=seed.actions,
        busy_until=None if seed.busy_for is None else now + seed.busy_for,
        fails_with=seed.fails_with,
        policy=_policy(seed.backup_policy, now) if seed.backup_policy else None,
        tags=dict(seed.tags),
        ssl=seed.ssl,
        password=seed.password,
    )


def _policy(seed: SeedPolicy, now: float) -> Policy:
    return Policy(
        keep_days=seed.keep_days,
        start_time=seed.window(now),
        period=seed.period,
        incremental=seed.incremental,
        since=now - seed.history_days * DAY,
    )


def _plant_backup(seed: SeedBackup, dds: DdsState, now: float) -> None:
    instance = dds.instances.get(seed.instance_id)
    size_kb = instance.data_kb if instance else GB_IN_KB
    backup = Backup(
        id=seed.id,
        name=seed.name,
        type="Manual",
        instance_id=seed.instance_id,
        instance_name=instance.name if instance else seed.instance_name,
        instance_mode=instance.mode if instance else "ReplicaSet",
        version=instance.version if instance else "4.0",
        description=seed.description,
        job_id=str(uuid.uuid5(_NAMESPACE, seed.id)),
        begin=now - seed.days_old * DAY,
        duration=max(1.0, size_kb / dds.rate_kb),
        size_kb=size_kb,
        disk_gb=instance.spec.disk_gb if instance else 10,
        fail_reason=seed.fails_with,
    )
    dds.keep(backup)


def _plant_contents(seed: Seed, dds: DdsState, now: float) -> None:
    """Without a content of its own, a backup has what its instance held when it began."""
    contents = {instance.id: _content(instance) for instance in seed.instances}
    for instance_id, content in contents.items():
        dds.contents.put(instance_id, make_content(content, now), now)
    for backup in seed.backups:
        begin = now - backup.days_old * DAY
        if backup.content is None and backup.instance_id in contents:
            made = make_content(contents[backup.instance_id], now, until=begin)
        else:
            made = make_content(DEFAULT if backup.content is None else backup.content, begin)
        dds.contents.put(backup.id, made, begin)


def _content(instance: SeedInstance) -> SeedContent:
    if instance.status in WITHOUT_CONTENT:
        return {}
    return DEFAULT if instance.content is None else instance.content


def _plant_topic(seed: SeedTopic, smn: SmnState) -> None:
    topic, _ = create_topic(smn, NewTopic(name=seed.name, display_name=seed.display_name))
    for number, subscription in enumerate(seed.subscriptions):
        smn.subscriptions.put(
            Subscription(
                id=f"{topic.id}:{uuid.uuid5(_NAMESPACE, f'{topic.id}{number}').hex}",
                topic_urn=topic.id,
                protocol=subscription.protocol,
                endpoint=subscription.endpoint,
                remark=subscription.remark,
                status=1 if subscription.confirmed else 0,
            )
        )
