"""Authorization of agencies: the action that a call needs, and whether policies allow it.

A policy document has one of two forms. ``"Version": "1.1"`` is a policy of the role/policy model. ``"Version": "5.0"``
is an identity policy, whose actions have names of their own and accept the older names as aliases (column "Alias" of
"Actions Supported by Identity Policy-based Authorization" of each service). Source: IAM User Guide, Policy Syntax and
Policy Evaluation.

A statement of an identity policy also names resources. A call on a topic or on an instance matches the name of that
resource, and any other call matches "*" alone (column "Resource Type" of "Actions Supported by Identity Policy-based
Authorization"). It can have conditions on the enterprise project of the instance (column "Condition Key" there,
g:EnterpriseProjectId). Creating an instance has no such key, neither empty nor from a backup (dds_api_0020,
dds_api_0038).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from localcloud.errors import Service, usual_error


Document = dict[str, Any]

GRANTED_ON = "EnterpriseProject"
"""The key of a document that is granted on one enterprise project: it applies to the calls about its instances."""


class Action(NamedTuple):
    """An action, by its name in a custom policy and in an identity policy.

    `on_instances` says whether it is about the instance in the path: identity policies can then name that instance, and
    its enterprise project in a condition. `dependencies` are further actions that a custom policy has to allow.
    """

    name: str
    identity_name: str
    on_instances: bool = False
    dependencies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """What a call is about: the names of its resource, and the enterprise project of its instance, if it has one.

    An instance that is to be made has the enterprise project of the request.
    """

    resources: tuple[str, ...] = ()
    enterprise_project_id: str | None = None


NOTHING = Target()


def _call(
    method: str,
    path: str,
    name: str,
    identity_name: str | None = None,
    *,
    on_instances: bool = False,
    dependencies: tuple[str, ...] = (),
) -> tuple[re.Pattern[str], Action]:
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(f"{method} {path}"))
    return re.compile(pattern), Action(name, identity_name or name, on_instances, dependencies)


_DDS = "/v3/{project_id}"
_INSTANCE = f"{_DDS}/instances/{{instance_id}}"
_IN_PATH = re.compile("/v3/[^/]+/instances/(?P<id>[0-9a-f]{32}in[0-9][0-9])(/|$)")
# "Creating a DB instance" in "Permissions and Supported Actions". Identity policies need none of them.
_NETWORK = ("vpc:vpcs:list", "vpc:vpcs:get", "vpc:subnets:get", "vpc:securityGroups:get", "vpc:ports:get")
_SMN = "/v2/{project_id}/notifications/topics"
_TOPIC = re.compile("/v2/[^/]+/notifications/topics/(?P<urn>urn:smn:(?P<region>[^:/]+):[^:/]+:(?P<name>[^:/]+))(/|$)")
# The action of each call, in custom policies and, where it differs, in identity policies. No policy allows a call that
# is missing here. Paths with a literal segment come before those with a parameter. Sources: "Permissions and Supported
# Actions" of the DDS API (dds_api_0037; dds_api_0118 and dds_api_0301 for tasks) and of the SMN API (Topic Operations,
# Message Publishing); for identity policies the section "Authorization Information" of each operation's page.
_ACTIONS = (
    _call("POST", f"{_DDS}/backups", "dds:instance:createManualBackup", "dds:backup:create"),
    _call("GET", f"{_DDS}/backups", "dds:backup:list", "dds:backup:listAll"),
    _call("GET", f"{_DDS}/backups/download-file", "dds:backup:download"),
    _call("DELETE", f"{_DDS}/backups/{{backup_id}}", "dds:backup:delete"),
    _call("GET", f"{_DDS}/instances", "dds:instance:list", "dds:instance:listAll"),
    _call("POST", f"{_DDS}/instances", "dds:instance:create", dependencies=_NETWORK),
    _call("POST", f"{_DDS}/instances/recovery", "dds:backup:refreshInstanceFromBackup", "dds:instance:restore"),
    # The page of this call names the action of backup policies (dds_api_0215).
    _call("GET", f"{_DDS}/instances/recycle-policy", "dds:instance:list", "dds:instance:getBackupPolicy"),
    _call("PUT", f"{_DDS}/instances/recycle-policy", "dds:instance:setRecyclePolicy"),
    _call("GET", f"{_DDS}/recycle-instances", "dds:instance:list", "dds:instance:listRecycleInstances"),
    _call("DELETE", f"{_DDS}/instances/backups", "dds:backup:delete"),
    _call("DELETE", _INSTANCE, "dds:instance:deleteInstance", "dds:instance:delete", on_instances=True),
    _call("POST", f"{_INSTANCE}/restart", "dds:instance:reboot", "dds:instance:restart", on_instances=True),
    _call("PUT", f"{_INSTANCE}/modify-name", "dds:instance:modify", "dds:instance:updateName", on_instances=True),
    _call("PUT", f"{_INSTANCE}/reset-password", "dds:instance:resetPasswd", on_instances=True),
    # No table of custom policies has this call: that they need the action of other queries is not documented.
    _call("GET", f"{_INSTANCE}/databases", "dds:instance:list", "dds:instance:getDatabases", on_instances=True),
    _call("GET", f"{_INSTANCE}/restore-time", "dds:instance:list", "dds:backup:getRestoreTimeList"),
    _call("GET", f"{_INSTANCE}/restore-database", "dds:instance:list", "dds:backup:getRestoreDatabases"),
    _call("GET", f"{_INSTANCE}/restore-collection", "dds:instance:list", "dds:backup:getRestoreCollections"),
    _call("GET", f"{_INSTANCE}/backups/policy", "dds:instance:list"),
    _call("PUT", f"{_INSTANCE}/backups/policy", "dds:instance:modifyBackupPolicy"),
    _call("POST", f"{_INSTANCE}/tags/action", "dds:instance:modify", "dds:instance:setTag", on_instances=True),
    _call("GET", f"{_INSTANCE}/tags", "dds:instance:list"),
    _call("GET", f"{_DDS}/quotas", "dds:instance:list", "dds:instance:getQuotas"),
    _call("GET", "/v3.1/{project_id}/flavors", "dds:instance:listFlavors"),
    _call("GET", f"{_DDS}/datastores/{{datastore_name}}/versions", "dds:instance:listDatabaseVersion"),
    _call("GET", f"{_DDS}/jobs", "dds:task:list", "dds:task:getDetail"),
    _call("GET", "/v3.1/{project_id}/jobs", "dds:task:list", "dds:task:listAll"),
    _call("POST", _SMN, "smn:topic:create"),
    _call("GET", _SMN, "smn:topic:list", "smn:topic:listTopic"),
    _call("PUT", f"{_SMN}/{{topic_urn}}", "smn:topic:update", "smn:topic:updateTopic"),
    _call("DELETE", f"{_SMN}/{{topic_urn}}", "smn:topic:delete"),
    _call("POST", f"{_SMN}/{{topic_urn}}/publish", "smn:topic:publish"),
)


# Whether a condition holds for the value of its key. The value is None if the call has no such key.
_OPERATORS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "StringEquals": lambda value, given: value in given,
    "StringNotEquals": lambda value, given: value not in given,
    "StringMatch": lambda value, given: value is not None and any(_pattern(one).fullmatch(value) for one in given),
}


def authorize(method: str, path: str, documents: Iterable[Document], service: Service, target: Target) -> None:
    """Raise the 403 of the service unless a policy allows the call and none denies it.

    The codes are those for missing permissions in the error tables of DDS (DBS.280032) and SMN (SMN.0001), and the 403
    of IAM (IAM API, Querying an Agency List, example of a failed request).
    """
    action = action_of(method, path)
    if action is None:
        raise usual_error(service, 403, f"no documented action allows {method} {path}")
    documents = tuple(documents)
    if not is_allowed(action, documents, target):
        raise usual_error(service, 403, action.name)
    if action.dependencies and not is_allowed(action, _of_version(documents, "5.0"), target):
        for name in action.dependencies:
            if not is_allowed(Action(name, name), documents):
                raise usual_error(service, 403, name)


def action_of(method: str, path: str) -> Action | None:
    """The action that a call needs, or None if none is documented."""
    call = f"{method} {path}"
    return next((action for pattern, action in _ACTIONS if pattern.fullmatch(call)), None)


def instance_in(path: str) -> str | None:
    """The id of the instance that a call is about, or None."""
    match = _IN_PATH.match(path)
    return match["id"] if match else None


def resources_of(path: str, region: str, account_id: str) -> tuple[str, ...]:
    """Return the names of the topic or instance that a call is about, or nothing for other calls.

    The form is ``smn:<region>:<account id>:topic:<topic>`` and ``dds:<region>:<account id>:instance:<id>``. Published
    policies write the topic in two ways, as its name and as its URN. Both are accepted here.
    """
    instance_id = instance_in(path)
    if instance_id is not None:
        return (f"dds:{region}:{account_id}:instance:{instance_id}",)
    match = _TOPIC.match(path)
    if match is None:
        return ()
    prefix = f"smn:{match['region']}:{account_id}:topic:"
    return (prefix + match["name"], prefix + match["urn"])


def is_allowed(action: Action, documents: Iterable[Document], target: Target = NOTHING) -> bool:
    """Whether a statement of `documents` allows the action and none denies it."""
    documents = [one for one in documents if one.get(GRANTED_ON) in (None, target.enterprise_project_id)]
    if action.identity_name.startswith("dds:") and not action.on_instances:
        target = NOTHING
    effects = {
        statement["Effect"]
        for document in documents
        for statement in document["Statement"]
        if _applies(statement, _names(action, document["Version"]))
        and (document["Version"] != "5.0" or (_covers(statement, target.resources) and _holds(statement, target)))
    }
    return "Allow" in effects and "Deny" not in effects


def _of_version(documents: Iterable[Document], version: str) -> tuple[Document, ...]:
    return tuple(document for document in documents if document["Version"] == version)


def _names(action: Action, version: str) -> tuple[str, ...]:
    return (action.name, action.identity_name) if version == "5.0" else (action.name,)


def _applies(statement: dict[str, Any], names: tuple[str, ...]) -> bool:
    # Resource types and operations are case-insensitive (Creating a Custom Policy).
    return any(_pattern(given, re.IGNORECASE).fullmatch(name) for given in statement["Action"] for name in names)


def _covers(statement: dict[str, Any], resources: tuple[str, ...]) -> bool:
    given = statement.get("Resource", ["*"])
    return "*" in given or any(_pattern(one).fullmatch(resource) for one in given for resource in resources)


def _holds(statement: dict[str, Any], target: Target) -> bool:
    """Whether all conditions hold.

    What the documents do not say: a call that is about no instance has no enterprise project. Then no condition on it
    lets a statement allow anything, and "not equal to" lets it deny.
    """
    value = target.enterprise_project_id
    conditions = [
        (operator, given) for operator, keys in (statement.get("Condition") or {}).items() for given in keys.values()
    ]
    if conditions and value is None and statement["Effect"] == "Allow":
        return False
    return all(_OPERATORS[operator](value, given) for operator, given in conditions)


def _pattern(given: str, flags: re.RegexFlag | int = 0) -> re.Pattern[str]:
    """Return a pattern in which "*" matches anything."""
    return re.compile(".*".join(map(re.escape, given.split("*"))), flags)
