"""The backup list: filters, order and pages (DDS API, Querying the Backup List)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from localcloud.clock import parse, text
from localcloud.dds import schemas
from localcloud.dds.backups import deletable
from localcloud.dds.errors import dds_error, parameter_error
from localcloud.dds.model import INSTANCE_ID, Backup, BackupStatus
from localcloud.dds.state import DdsState


TIME = "%Y-%m-%d %H:%M:%S"

_ORDERS: dict[str, Callable[[Backup], str | float]] = {
    "name": lambda backup: backup.name,
    "instanceName": lambda backup: backup.instance_name,
    "type": lambda backup: backup.type,
    "datastoreType": lambda backup: backup.version,
    "beginTime": lambda backup: backup.begin,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupQuery:
    """The query parameters as given. From `order_field` on they are ignored if the switch newer_filters is off."""

    instance_id: str | None = None
    backup_id: str | None = None
    backup_type: str | None = None
    offset: int = 0
    limit: int = 100
    begin_time: str | None = None
    end_time: str | None = None
    mode: str | None = None
    order_field: str | None = None
    order_rule: str | None = None
    backup_status: str | None = None
    backup_name: str | None = None
    backup_description: str | None = None
    instance_name: str | None = None


def list_backups(state: DdsState, query: BackupQuery) -> schemas.Backups:
    """List backups, newest first unless the query gives an order.

    Raises DBS.280404, 280067, 280068 or 200001 for an invalid parameter.
    """
    now = state.present()
    wanted = _filter(query)
    found = [backup for backup in state.backups(now) if wanted(backup)]
    found.sort(key=lambda backup: backup.begin, reverse=True)
    if state.region.switches.newer_filters:
        newer = _newer_filter(query, now)
        found = _order(query, [backup for backup in found if newer(backup)], now)
    page = found[query.offset : query.offset + query.limit]
    return schemas.Backups(backups=[_view(state, backup, now) for backup in page], total_count=len(found))


def _filter(query: BackupQuery) -> Callable[[Backup], bool]:
    if query.instance_id is not None and not INSTANCE_ID.fullmatch(query.instance_id):
        raise dds_error("DBS.280404")
    types = _types(query)
    begin, end = _window(query)
    return lambda backup: (
        query.instance_id in (None, backup.instance_id)
        and query.backup_id in (None, backup.id)
        and query.mode in (None, backup.instance_mode)
        and backup.type.lower() in types
        and begin <= backup.begin <= end
    )


def _types(query: BackupQuery) -> set[str]:
    if query.backup_type is None:
        return {"auto", "manual"}
    kind = query.backup_type.lower()
    if kind not in {"auto", "manual", "incremental"}:
        raise parameter_error("backup_type must be Auto, Manual, or Incremental")
    if kind == "incremental" and query.instance_id is None:
        raise parameter_error("instance_id is mandatory when backup_type is Incremental")
    return {kind}


def _window(query: BackupQuery) -> tuple[float, float]:
    if query.begin_time is None and query.end_time is None:
        return float("-inf"), float("inf")
    if query.begin_time is None or query.end_time is None:
        raise parameter_error("begin_time and end_time must be given together")
    begin = _time(query.begin_time, "DBS.280067")
    end = _time(query.end_time, "DBS.280068")
    if begin > end:
        raise dds_error("DBS.280068")
    return begin, end


def _time(value: str, code: str) -> float:
    try:
        return parse(value, TIME)
    except ValueError as error:
        raise dds_error(code) from error


def _newer_filter(query: BackupQuery, now: float) -> Callable[[Backup], bool]:
    if query.backup_status not in (None, "COMPLETED", "BUILDING", "FAILED"):
        raise parameter_error("backup_status must be COMPLETED, BUILDING, or FAILED")
    return lambda backup: (
        (query.backup_status is None or query.backup_status == (backup.status(now) or BackupStatus.DISABLED).value)
        and (query.backup_name or "") in backup.name
        and (query.backup_description or "") in backup.description
        and (query.instance_name or "") in backup.instance_name
    )


def _order(query: BackupQuery, found: list[Backup], now: float) -> list[Backup]:
    if query.order_field is None and query.order_rule is None:
        return found
    orders = {**_ORDERS, "status": lambda backup: str(backup.status(now))}
    order = orders.get(query.order_field or "")
    if order is None or query.order_rule not in {"asc", "desc"}:
        raise parameter_error(f"order_field must be one of {', '.join(orders)}, with order_rule asc or desc")
    return sorted(found, key=order, reverse=query.order_rule == "desc")


def _view(state: DdsState, backup: Backup, now: float) -> schemas.Backup:
    instance = state.instances.get(backup.instance_id)
    restoring = state.is_restoring(backup, now)
    return _shown(
        backup,
        backup.status(now) or BackupStatus.DISABLED,
        instance.status if instance else "deleted",
        has_ended=now >= backup.end,
        is_restoring=restoring,
        is_deletable=deletable(state, backup) and not restoring and not backup.running(now),
    )


@lru_cache(maxsize=5000)  # lists show the same backups again and again
def _shown(
    backup: Backup,
    status: BackupStatus,
    instance_status: str,
    *,
    has_ended: bool,
    is_restoring: bool,
    is_deletable: bool,
) -> schemas.Backup:
    return schemas.Backup(
        id=backup.id,
        name=backup.name,
        instance_id=backup.instance_id,
        instance_name=backup.instance_name,
        datastore=schemas.BackupDatastore(version=backup.version),
        type=backup.type,
        begin_time=text(backup.begin, TIME),
        end_time=text(backup.end, TIME) if has_ended else "",
        status=status,
        size=backup.size_kb if has_ended else 0,
        description=backup.description,
        instance_status=instance_status,
        instance_mode=backup.instance_mode,
        is_instance_restoring=is_restoring,
        backup_method="Logical" if backup.instance_mode == "Single" else "Physical",
        kms_enable=False,
        deletable=is_deletable,
    )
