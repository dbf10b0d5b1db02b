"""The API operations that the functions call, with the IAM actions that they need.

Sources, in the DDS and SMN API references: for policies (IAM's role/policy model, ``"Version": "1.1"``) "Permissions
and Supported Actions", dds_api_0037 and smn_api_80005; for identity policies (``"Version": "5.0"``) the section
"Authorization Information" of each operation's page, dds_api_0042 and smn_api_80015. An operation that is not in
dds_api_0037 has the alias that its own page names, in the column "Alias".
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
    is_confined: bool = False
    """Whether the call is allowed in the enterprise project of the drills only. It makes or changes an instance."""
    has_condition: bool = True
    """Whether an identity policy can confine the action: DDS knows its condition key ``g:EnterpriseProjectId``."""
    dependencies: tuple[str, ...] = ()
    """The actions that a policy has to allow besides, in the whole project. Identity policies need none."""
    other_names: tuple[str, ...] = ()
    """Other names of ``identity_action``, where the documents contradict each other."""


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
# dds_api_0038: write, no resource type, no condition key, no dependencies. dds_api_0037, "Creating a DB instance", the
# same call: enterprise projects are supported, and five actions of VPC are dependencies.
RESTORE_NEW_INSTANCE = Operation(
    "DDS.RestoreNewInstance",
    "restore_new_instance",
    "dds:instance:create",
    "dds:instance:create",
    writes=True,
    is_confined=True,
    has_condition=False,
    dependencies=("vpc:ports:get", "vpc:securityGroups:get", "vpc:subnets:get", "vpc:vpcs:get", "vpc:vpcs:list"),
)
# dds_api_0276: read, resource type instance, g:EnterpriseProjectId, no alias. dds_api_0037 does not have this call, so
# it is not documented that dds:instance:list allows it. The instance may be a source, so it is not confined.
LIST_DATABASES = Operation("DDS.ListDatabases", "list_databases", "dds:instance:list", "dds:instance:getDatabases")
# dds_api_0080: read, no resource type, no condition key, alias dds:instance:list.
LIST_RESTORE_TIMES = Operation(
    "DDS.ListRestoreTimes", "list_restore_times", "dds:instance:list", "dds:backup:getRestoreTimeList"
)
# dds_api_021: list, no resource type, no condition key, alias dds:instance:list.
LIST_RECYCLE_INSTANCES = Operation(
    "DDS.ListRecycleInstances", "list_recycle_instances", "dds:instance:list", "dds:instance:listRecycleInstances"
)
# dds_api_0116: read, no resource type, no condition key, alias dds:instance:list.
SHOW_QUOTAS = Operation("DDS.ShowQuotas", "show_quotas", "dds:instance:list", "dds:instance:getQuotas")
# dds_api_0033: tagging, resource type instance, g:EnterpriseProjectId, aliases dds:instance:modify and others.
BATCH_TAG_ACTION = Operation(
    "DDS.BatchTagAction",
    "batch_tag_action",
    "dds:instance:modify",
    "dds:instance:setTag",
    writes=True,
    is_confined=True,
)
# dds_api_0075: write, resource type instance, g:EnterpriseProjectId, dds:instance:resetPasswd. The list of all actions
# (dds_api_0042; Organizations User Guide, org_20_0020) has dds:instance:resetPassword instead.
RESET_PASSWORD = Operation(
    "DDS.ResetPassword",
    "reset_password",
    "dds:instance:resetPasswd",
    "dds:instance:resetPasswd",
    writes=True,
    is_confined=True,
    other_names=("dds:instance:resetPassword",),
)
# dds_api_0021: write, resource type instance, g:EnterpriseProjectId, alias dds:instance:reboot.
RESTART_INSTANCE = Operation(
    "DDS.RestartInstance",
    "restart_instance",
    "dds:instance:reboot",
    "dds:instance:restart",
    writes=True,
    is_confined=True,
)
# dds_api_0022: write, resource type instance, g:EnterpriseProjectId, alias dds:instance:deleteInstance.
DELETE_INSTANCE = Operation(
    "DDS.DeleteInstance",
    "delete_instance",
    "dds:instance:deleteInstance",
    "dds:instance:delete",
    writes=True,
    is_confined=True,
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

RESTORE_OVER = frozenset({"dds:instance:restore", "dds:backup:refreshInstanceFromBackup"})
"""The actions that restore over an existing instance (dds_api_0083). No agency of this application ever has them."""
