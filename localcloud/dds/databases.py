"""The databases and collections of an instance, now or at a time that it can be restored to."""

from collections.abc import Sequence

from localcloud.dds import instance_schemas as schemas
from localcloud.dds.errors import dds_error
from localcloud.dds.restore_times import check_restorable
from localcloud.dds.state import DdsState
from localcloud.mongo.content import Content


KB_IN_GB = 1024**2
# "The config and admin databases are not displayed" (Querying Databases). "The local database will not be restored"
# (DDS user manual, Restoring a Replica Set Instance to a Point in Time).
_INTERNAL = {"admin", "config", "local"}
# "Not allowed while the instance is being created, its class or port is being changed, it is restarted and so on".
# That a backup or a restore to a new instance does not prevent it is not documented.
_HARMLESS = {"BACKUP", "RESTORE_TO_NEW_INSTANCE"}


def list_databases(state: DdsState, instance_id: str, offset: int, limit: int) -> schemas.Databases:
    """The databases of an instance, with their sizes and numbers of collections (Querying Databases).

    The databases share the size of the instance in proportion to their documents. The documents contradict each other
    on which of the two sizes is the logical one, so here they are the same.

    Raises DBS.201000 if the instance is not normal, DBS.200019 while it is restarted or restored.
    """
    now = state.present()
    instance = state.instance(instance_id)
    if instance.status != "normal":
        raise dds_error("DBS.201000", instance.name, "query databases")
    if not set(state.operations(instance, now)) <= _HARMLESS:
        raise dds_error("DBS.200019")
    content = state.content(instance.id)
    found = [
        schemas.Database(
            name=name,
            data_size=f"{size:.2f}",
            storage_size=f"{size:.2f}",
            collection_num=len(content.databases[name]),
        )
        for name in _names(content)
        for size in [instance.data_kb / KB_IN_GB * _share(content, name)]
    ]
    return schemas.Databases(databases=found[offset : offset + limit], total_count=len(found))


def restore_databases(
    state: DdsState, instance_id: str, restore_time: int, offset: int, limit: int
) -> schemas.RestoreDatabases:
    """The databases that a replica set had at a time (Obtaining the List of Databases That Can Be Restored).

    Raises DBS.280343 for another mode, DBS.280409 for a time that the instance cannot be restored to.
    """
    names = _names(_content_at(state, instance_id, restore_time))
    return schemas.RestoreDatabases(databases=names[offset : offset + limit], total_count=len(names))


def restore_collections(
    state: DdsState, instance_id: str, db_name: str, restore_time: int, offset: int, limit: int
) -> schemas.RestoreCollections:
    """The collections that a database of a replica set had at a time. None for an unknown database.

    Raises as `restore_databases` does (Obtaining the List of Database Collections That Can Be Restored).
    """
    content = _content_at(state, instance_id, restore_time)
    names = sorted(content.databases[db_name]) if db_name in _names(content) else []
    return schemas.RestoreCollections(collections=names[offset : offset + limit], total_count=len(names))


def _content_at(state: DdsState, instance_id: str, restore_time: int) -> Content:
    now = state.present()
    instance = state.instance(instance_id)
    if instance.mode != "ReplicaSet":
        raise dds_error("DBS.280343")
    check_restorable(state, instance, restore_time / 1000, now)
    return state.content_at(instance.id, restore_time / 1000)


def _names(content: Content) -> Sequence[str]:
    return sorted(set(content.databases) - _INTERNAL)


def _share(content: Content, name: str) -> float:
    """The part of all documents, by their size, that a database has."""
    every = content.statistics().data_size
    return content.statistics(name).data_size / every if every else 0.0
