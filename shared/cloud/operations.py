"""The API operations that the functions call, with the IAM actions that they need.

Sources, in the DDS and SMN API references: for policies (IAM's role/policy model, ``"Version": "1.1"``) "Permissions
and Supported Actions", dds_api_0037 and smn_api_80005; for identity policies (``"Version": "5.0"``) the section
"Authorization Information" of each operation's page, dds_api_0042 and smn_api_80015.
"""

from typing import NamedTuple


class Operation(NamedTuple):
    """An API operation. The name is API Explorer's, with the service in front: ``DDS.ListBackups``."""

    name: str
    method: str
    """The method of the SDK's client."""
    action: str
    """The action that a policy has to allow."""
    identity_action: str
    """The action that an identity policy has to allow."""
    writes: bool = False
    """Whether the call changes something."""


CREATE_MANUAL_BACKUP = Operation(
    "DDS.CreateManualBackup",
    "create_manual_backup",
    "dds:instance:createManualBackup",
    "dds:backup:create",
    writes=True,
)
DELETE_MANUAL_BACKUP = Operation(
    "DDS.DeleteManualBackup", "delete_manual_backup", "dds:backup:delete", "dds:backup:delete", writes=True
)
LIST_BACKUPS = Operation("DDS.ListBackups", "list_backups", "dds:backup:list", "dds:backup:listAll")
LIST_INSTANCES = Operation("DDS.ListInstances", "list_instances", "dds:instance:list", "dds:instance:listAll")
LIST_TASKS = Operation("DDS.ListTasks", "list_tasks", "dds:task:list", "dds:task:listAll")
SHOW_JOB_DETAIL = Operation("DDS.ShowJobDetail", "show_job_detail", "dds:task:list", "dds:task:getDetail")
RESTORE_NEW_INSTANCE = Operation(
    "DDS.RestoreNewInstance", "restore_new_instance", "dds:instance:create", "dds:instance:create", writes=True
)
LIST_DATABASES = Operation("DDS.ListDatabases", "list_databases", "dds:instance:list", "dds:instance:getDatabases")
LIST_RESTORE_TIMES = Operation(
    "DDS.ListRestoreTimes", "list_restore_times", "dds:instance:list", "dds:backup:getRestoreTimeList"
)
LIST_RECYCLE_INSTANCES = Operation(
    "DDS.ListRecycleInstances", "list_recycle_instances", "dds:instance:list", "dds:instance:listRecycleInstances"
)
SHOW_QUOTAS = Operation("DDS.ShowQuotas", "show_quotas", "dds:instance:list", "dds:instance:getQuotas")
BATCH_TAG_ACTION = Operation(
    "DDS.BatchTagAction", "batch_tag_action", "dds:instance:modify", "dds:instance:setTag", writes=True
)
RESET_PASSWORD = Operation(
    "DDS.ResetPassword", "reset_password", "dds:instance:resetPasswd", "dds:instance:resetPasswd", writes=True
)
RESTART_INSTANCE = Operation(
    "DDS.RestartInstance", "restart_instance", "dds:instance:reboot", "dds:instance:restart", writes=True
)
DELETE_INSTANCE = Operation(
    "DDS.DeleteInstance", "delete_instance", "dds:instance:deleteInstance", "dds:instance:delete", writes=True
)
PUBLISH_MESSAGE = Operation(
    "SMN.PublishMessage", "publish_message", "smn:topic:publish", "smn:topic:publish", writes=True
)

OPERATIONS: dict[str, Operation] = {
    operation.name: operation
    for operation in (
        CREATE_MANUAL_BACKUP,
        DELETE_MANUAL_BACKUP,
        LIST_BACKUPS,
        LIST_INSTANCES,
        LIST_TASKS,
        SHOW_JOB_DETAIL,
        RESTORE_NEW_INSTANCE,
        LIST_DATABASES,
        LIST_RESTORE_TIMES,
        LIST_RECYCLE_INSTANCES,
        SHOW_QUOTAS,
        BATCH_TAG_ACTION,
        RESET_PASSWORD,
        RESTART_INSTANCE,
        DELETE_INSTANCE,
        PUBLISH_MESSAGE,
    )
}
"""All operations by name."""
