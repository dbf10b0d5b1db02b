"""Operations on an instance that exists: restarting, deleting, renaming it, its password, and the recycle bin."""

from dataclasses import replace

from localcloud.clock import text
from localcloud.dds import instance_schemas as schemas
from localcloud.dds.creation import check_password
from localcloud.dds.errors import dds_error
from localcloud.dds.instances import groups_of
from localcloud.dds.model import Instance, Job, JobKind
from localcloud.dds.specification import Mode
from localcloud.dds.state import DdsState


# Not documented. Published logs of Terraform providers have some three minutes for a deletion.
DELETION_SECONDS = 180.0
RESTART_SECONDS = 90.0
PASSWORD_SECONDS = 2.0

_TIME = "%Y-%m-%dT%H:%M:%S"
_RESTARTS: dict[Mode, JobKind] = {
    "Sharding": JobKind.RESTART_CLUSTER,
    "ReplicaSet": JobKind.RESTART_REPLICA_SET,
    "Single": JobKind.RESTART_SINGLE,
}
_USERS = {"rwuser"}
_CLUSTER_USERS = _USERS | {"sharduser", "csuser"}


def delete(state: DdsState, instance_id: str) -> Job:
    """Start to delete an instance (Deleting a DB Instance).

    Raises DBS.280406 for an instance that is billed yearly or monthly, and DBS.200019 while another operation is in
    progress. An instance that is being created is refused too (DBS.201000): "DB instances cannot be deleted when
    operations are being performed on them" (DDS user manual); the documents do not mention it by name.
    """
    now = state.present()
    instance = state.instance(instance_id)
    if instance.spec.pay_mode == "1":
        raise dds_error("DBS.280406")
    if instance.status == "creating":
        raise dds_error("DBS.201000", instance.name, "delete")
    state.check_idle(instance, now)
    job = state.begin_job(JobKind.DELETE_INSTANCE, instance, now, _scaled(state, DELETION_SECONDS))
    state.instances.put(replace(instance, gone_at=job.end))
    return job


def restart(state: DdsState, instance_id: str, body: schemas.RestartInstance) -> Job:
    """Start to restart an instance, or a group or node of it (Restarting a DB Instance).

    Raises DBS.201000 if the instance is not normal, DBS.200019 while another operation is in progress, DBS.200013 for
    an unknown group or node, DBS.200018 for a primary node, which is never restarted alone while it is normal.
    """
    now = state.present()
    instance = state.instance(instance_id)
    _check_normal(instance, "restart")
    state.check_idle(instance, now)
    kind = _restart_kind(state, instance, body, now)
    job = state.begin_job(kind, instance, now, _scaled(state, RESTART_SECONDS))
    state.instances.put(replace(instance, actions=("RESTARTING",), busy_until=job.end))
    return job


def rename(state: DdsState, instance_id: str, name: str) -> None:
    """Change the name of an instance (Modifying a DB Instance Name).

    Raises DBS.201000 for one that is being created or whose creation failed, DBS.280234 if the name is taken and names
    are unique (switch unique_instance_names).
    """
    state.present()
    instance = state.instance(instance_id)
    if instance.status in {"creating", "createfail"}:
        raise dds_error("DBS.201000", instance.name, "modify name")
    others = (one for one in state.instances if one.id != instance_id)
    if state.region.switches.unique_instance_names and any(one.name == name for one in others):
        raise dds_error("DBS.280234")
    state.instances.put(replace(instance, name=name))


def reset_password(state: DdsState, instance_id: str, body: schemas.NewPassword) -> None:
    """Change the password of a database user (Changing the Password of a Database User).

    Raises DBS.280200 or 200052 for the password, 280292 for another user than rwuser (and, of a cluster, sharduser and
    csuser), 201000 if the instance is not normal, 200019 while another operation is in progress. The instance is busy
    for two seconds; how long it really is, is not documented.
    """
    now = state.present()
    instance = state.instance(instance_id)
    check_password(body.user_pwd)
    if body.user_name not in (_CLUSTER_USERS if instance.mode == "Sharding" else _USERS):
        raise dds_error("DBS.280292")
    _check_normal(instance, "reset password")
    state.check_idle(instance, now)
    busy_until = now + PASSWORD_SECONDS * state.region.switches.duration_scale
    # The local cloud has no other users than the administrator.
    password = body.user_pwd if body.user_name == "rwuser" else instance.password
    state.instances.put(replace(instance, actions=("RESET_PASSWORD",), busy_until=busy_until, password=password))


def _restart_kind(state: DdsState, instance: Instance, body: schemas.RestartInstance, now: float) -> JobKind:
    if body.target_type is None and body.target_id == instance.id:
        return _RESTARTS[instance.mode]
    for group in groups_of(state, instance, now):
        if body.target_type not in (None, group.type):
            continue
        if body.target_type is not None and group.id == body.target_id:
            return JobKind.RESTART_GROUP
        for node in group.nodes:
            if node.id == body.target_id:
                if node.role == "Primary" and node.status == "normal":
                    raise dds_error("DBS.200018")
                return JobKind.RESTART_NODE
    raise dds_error("DBS.200013")


def _check_normal(instance: Instance, operation: str) -> None:
    if instance.status != "normal":
        raise dds_error("DBS.201000", instance.name, operation)


def _scaled(state: DdsState, seconds: float) -> float:
    return max(1.0, seconds * state.region.switches.duration_scale)


def recycled(state: DdsState, offset: int, limit: int) -> schemas.RecycleInstances:
    """The instances in the recycle bin, the last deleted first (Querying DB Instances in the Recycle Bin)."""
    found = state.recycle_bin.at(state.present())
    return schemas.RecycleInstances(
        instances=[
            schemas.RecycleInstance(
                id=one.id,
                name=one.name,
                mode=one.mode,
                datastore=schemas.RecycleDatastore(version=one.version),
                pay_mode=one.pay_mode,
                enterprise_project_id=one.enterprise_project_id,
                backup_id=one.backup_id,
                created_at=text(one.created, _TIME),
                deleted_at=text(one.deleted, _TIME),
                retained_until=text(one.retained_until, _TIME),
            )
            for one in found[offset : offset + limit]
        ],
        total_count=len(found),
    )
