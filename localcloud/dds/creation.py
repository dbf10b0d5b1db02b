"""Creating an instance (DDS API, Creating a DB Instance), and what that has in common with restoring to a new one."""

import re
import uuid
from dataclasses import dataclass

from localcloud.clock import text
from localcloud.dds import instance_schemas as schemas
from localcloud.dds.backups import EVERY_DAY, WEEK, check_window
from localcloud.dds.errors import dds_error
from localcloud.dds.instances import QUOTAS, check_tags, show_tags
from localcloud.dds.model import FOREVER, Instance, Job, JobKind, Policy
from localcloud.dds.nodes import check_flavors
from localcloud.dds.specification import VERSIONS, Flavor, Mode, Specification, engine, zones
from localcloud.dds.state import DdsState
from localcloud.mongo.content import Content


# The time until an empty instance is normal. Published logs of acceptance tests of Terraform providers have 6 to 13
# minutes, the shorter ones for a single node and the longer ones for a cluster.
CREATION_SECONDS: dict[Mode, float] = {"Single": 360.0, "ReplicaSet": 480.0, "Sharding": 780.0}

_JOBS: dict[Mode, JobKind] = {
    "Sharding": JobKind.CREATE_CLUSTER,
    "ReplicaSet": JobKind.CREATE_REPLICA_SET,
    "Single": JobKind.CREATE_SINGLE,
}
# "The default time window is a one hour time interval within 24 hours, for example, 01:00-02:00" (DDS user manual,
# Setting Automated Backup Policy).
_USUAL_WINDOW = "01:00-02:00"
_TIME = "%Y-%m-%d %H:%M:%S"
_UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_SPECIAL = "~!@#%^*-_=+?"
_OTHER_PORTS = {27017, 27018, 27019}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """How a new instance begins: its job, how long that takes, and what it holds and becomes then.

    With `never_ends`, it is created forever.
    """

    kind: JobKind
    seconds: float
    content: Content | None = None
    data_kb: int = 0
    becomes: str = "normal"
    fail_reason: str | None = None
    never_ends: bool = False


def create(state: DdsState, new: schemas.CreateInstance) -> schemas.NewInstanceStarted:
    """Start to create an empty instance.

    Raises DBS.280342 for an unknown mode, 280122 or 200041 for another engine or version, 200060 for a port, 280482 to
    280484 for tags, and the errors of `check_flavors` and `check_new`.
    """
    now = state.present()
    mode = _mode(new.mode, new.datastore.version)
    if new.datastore.type != "DDS-Community":
        raise dds_error("DBS.280122")
    if new.datastore.version not in VERSIONS:
        raise dds_error("DBS.200041")
    if new.datastore.storage_engine != engine(new.datastore.version):
        raise dds_error("DBS.280122")
    spec = check_new(state, new, mode, check_flavors(new.flavor, mode), port=new.port)
    tags = check_tags({}, new.tags or [])
    seconds = CREATION_SECONDS[mode] * state.region.switches.duration_scale
    beginning = Beginning(kind=_JOBS[mode], seconds=seconds)
    instance, job = begin(state, new, mode, new.datastore.version, spec, beginning, now, tags=tags)
    return started(state, new, instance, job)


def check_new(
    state: DdsState, new: schemas.NewInstance, mode: Mode, flavors: tuple[Flavor, ...], *, port: int | None = None
) -> Specification:
    """Return what a new instance consists of.

    Raises DBS.280342 for a single node where none is on offer (switch single_nodes), 280244 for an unknown zone, 280438
    for a key that is no UUID, 239011 for another SSL option than 0 and 1, 280365 for an incomplete payment mode, 280433
    for a malformed enterprise project, 280280 if the quota is used up, 280234 if the name is taken and names are unique
    (switch unique_instance_names), 280200 or 200052 for a password.
    """
    if mode == "Single" and not state.region.switches.single_nodes:
        raise dds_error("DBS.280342")
    check_password(new.password)
    _check_zones(state, new.availability_zone, mode)
    if new.ssl_option not in (None, "0", "1"):
        raise dds_error("DBS.239011")
    if new.disk_encryption_id and not _UUID.fullmatch(new.disk_encryption_id):
        raise dds_error("DBS.280438")
    if new.enterprise_project_id not in (None, "", "0") and not _UUID.fullmatch(new.enterprise_project_id or ""):
        raise dds_error("DBS.280433")
    if port is not None and not 2100 <= port <= 9500 and port not in _OTHER_PORTS:
        raise dds_error("DBS.200060")
    prepaid = _is_prepaid(new.charge_info)
    if state.region.switches.unique_instance_names and any(one.name == new.name for one in state.instances):
        raise dds_error("DBS.280234")
    if sum(one.mode == mode for one in state.instances) >= dict(QUOTAS)[mode]:
        raise dds_error("DBS.280280")
    usual = Specification()
    return Specification(
        flavors=flavors,
        vpc_id=new.vpc_id,
        subnet_id=new.subnet_id,
        security_group_id=new.security_group_id,
        availability_zone=new.availability_zone,
        port=port or usual.port,
        pay_mode="1" if prepaid else "0",
        order_id=f"CS{uuid.uuid4().int % 10**18:018}" if prepaid else None,
        disk_encryption_id=new.disk_encryption_id or "",
    )


def check_password(password: str | None) -> None:
    """Raise DBS.280200 for a character that is not allowed, DBS.200052 for a password that is too short or too simple.

    It has 8 to 32 characters: capital and small letters, digits, and some of ~!@#%^*-_=+?
    """
    if password is None:
        return
    kinds = (str.isupper, str.islower, str.isdigit, lambda one: one in _SPECIAL)
    if not all(one.isascii() and any(kind(one) for kind in kinds) for one in password):
        raise dds_error("DBS.280200")
    if not 8 <= len(password) <= 32 or not all(any(kind(one) for one in password) for kind in kinds):
        raise dds_error("DBS.200052")


def begin(
    state: DdsState,
    new: schemas.NewInstance,
    mode: Mode,
    version: str,
    spec: Specification,
    beginning: Beginning,
    now: float,
    *,
    tags: dict[str, str] | None = None,
) -> tuple[Instance, Job]:
    """Store an instance that is being created, with its job."""
    seconds = FOREVER if beginning.never_ends else max(1.0, beginning.seconds)
    instance = Instance(
        id=f"{state.region.new_id().hex}in02",
        name=new.name,
        mode=mode,
        status="creating",
        version=version,
        created=now,
        data_kb=beginning.data_kb,
        spec=spec,
        enterprise_project_id=new.enterprise_project_id or "0",
        policy=_policy(new.backup_strategy, mode, now),
        tags=tags or {},
        ssl=new.ssl_option != "0",
        password=new.password,
        ready_at=now + seconds,
        becomes=beginning.becomes,
    )
    state.instances.put(instance)
    if beginning.content is not None:
        state.contents.put(instance.id, beginning.content, now)
    return instance, state.begin_job(beginning.kind, instance, now, seconds, beginning.fail_reason)


def started(state: DdsState, new: schemas.NewInstance, instance: Instance, job: Job) -> schemas.NewInstanceStarted:
    """The answer to a request for a new instance."""
    strategy = new.backup_strategy or schemas.NewStrategy(start_time=_USUAL_WINDOW)
    return schemas.NewInstanceStarted(
        id=instance.id,
        name=instance.name,
        datastore=schemas.ResultDatastore(version=instance.version, storage_engine=engine(instance.version)),
        created=text(instance.created, _TIME),
        region=state.region.id,
        availability_zone=new.availability_zone,
        vpc_id=instance.spec.vpc_id,
        subnet_id=instance.spec.subnet_id,
        security_group_id=instance.spec.security_group_id,
        port=instance.spec.port,
        disk_encryption_id=instance.spec.disk_encryption_id,
        mode=instance.mode,
        flavor=[
            schemas.ResultFlavor(
                type=one.type,
                num=str(one.num),
                size=None if one.type == "mongos" else str(one.disk_gb),
                spec_code=one.spec_code,
            )
            for one in instance.spec.flavors
        ],
        backup_strategy=schemas.ResultStrategy(start_time=strategy.start_time, keep_days=str(strategy.keep_days)),
        enterprise_project_id=instance.enterprise_project_id,
        ssl_option="1" if instance.ssl else "0",
        tags=show_tags(instance) or None,
        job_id=job.id,
        order_id=instance.spec.order_id,
        charge_info=new.charge_info,
    )


def _mode(given: str, version: str) -> Mode:
    """The mode. "The version 5.0 does not support single node instances" (Creating a DB Instance)."""
    modes: tuple[Mode, ...] = ("Sharding", "ReplicaSet", "Single")
    mode = next((one for one in modes if one == given), None)
    if mode is None or (mode == "Single" and version == "5.0"):
        raise dds_error("DBS.280342")
    return mode


def _check_zones(state: DdsState, given: str, mode: Mode) -> None:
    """One zone, or three for an instance that has more than one node."""
    chosen = given.split(",")
    numbers = {1} if mode == "Single" else {1, 3}
    if not set(chosen) <= set(zones(state.region.id)) or len(set(chosen)) != len(chosen) or len(chosen) not in numbers:
        raise dds_error("DBS.280244")


def _is_prepaid(charge: schemas.ChargeInfo | None) -> bool:
    """Whether an instance is billed yearly or monthly: 1 to 9 months or 1 to 3 years. Here it is paid at once."""
    if charge is None or charge.charge_mode == "postPaid":
        return False
    most = {"month": 9, "year": 3}.get(charge.period_type or "", 0)
    if charge.charge_mode != "prePaid" or not 1 <= (charge.period_num or 0) <= most:
        raise dds_error("DBS.280365")
    return True


def _policy(strategy: schemas.NewStrategy | None, mode: Mode, now: float) -> Policy | None:
    """The automatic backups: on for 7 days unless asked otherwise. Raises DBS.280216 for an invalid window.

    "After the automated backup policy is enabled, an incremental backup is automatically performed every 5 minutes"
    (DDS user manual, Setting Automated Backup Policy). Single nodes have none.
    """
    if strategy is None:
        return Policy(WEEK, _USUAL_WINDOW, EVERY_DAY, mode != "Single", since=now)
    check_window(strategy.start_time)
    if strategy.keep_days == 0:
        return None
    return Policy(strategy.keep_days, strategy.start_time, EVERY_DAY, mode != "Single", since=now)
