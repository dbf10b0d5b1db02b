"""Authorization of agencies: the action that a call needs, and whether policies allow it.

A policy document has one of two forms. ``"Version": "1.1"`` is a policy of the role/policy model. ``"Version": "5.0"``
is an identity policy, whose actions have names of their own and accept the older names as aliases (column "Alias" of
"Actions Supported by Identity Policy-based Authorization" of each service). Source: IAM User Guide, Policy Syntax and
Policy Evaluation.

A statement of an identity policy also names resources. A call on a topic matches the topic's resource name, and any
other call matches "*" alone (column "Resource Type" of "Actions Supported by Identity Policy-based Authorization").
"""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from localcloud.errors import Service, usual_error


Document = dict[str, Any]


class Action(NamedTuple):
    """An action, by its name in a custom policy and in an identity policy."""

    name: str
    identity_name: str


def _call(method: str, path: str, name: str, identity_name: str | None = None) -> tuple[re.Pattern[str], Action]:
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(f"{method} {path}"))
    return re.compile(pattern), Action(name, identity_name or name)


_DDS = "/v3/{project_id}"
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
    _call("GET", f"{_DDS}/instances/{{instance_id}}/backups/policy", "dds:instance:list"),
    _call("PUT", f"{_DDS}/instances/{{instance_id}}/backups/policy", "dds:instance:modifyBackupPolicy"),
    _call("POST", f"{_DDS}/instances/{{instance_id}}/tags/action", "dds:instance:modify"),
    _call("GET", f"{_DDS}/instances/{{instance_id}}/tags", "dds:instance:list"),
    _call("GET", f"{_DDS}/jobs", "dds:task:list", "dds:task:getDetail"),
    _call("GET", "/v3.1/{project_id}/jobs", "dds:task:list", "dds:task:listAll"),
    _call("POST", _SMN, "smn:topic:create"),
    _call("GET", _SMN, "smn:topic:list", "smn:topic:listTopic"),
    _call("PUT", f"{_SMN}/{{topic_urn}}", "smn:topic:update", "smn:topic:updateTopic"),
    _call("DELETE", f"{_SMN}/{{topic_urn}}", "smn:topic:delete"),
    _call("POST", f"{_SMN}/{{topic_urn}}/publish", "smn:topic:publish"),
)


def authorize(method: str, path: str, documents: Iterable[Document], service: Service, account_id: str) -> None:
    """Raise the 403 of the service unless a policy allows the call and none denies it.

    The codes are those for missing permissions in the error tables of DDS (DBS.280032) and SMN (SMN.0001), and the 403
    of IAM (IAM API, Querying an Agency List, example of a failed request).
    """
    action = action_of(method, path)
    if action is None:
        raise usual_error(service, 403, f"no documented action allows {method} {path}")
    if not is_allowed(action, documents, resources_of(path, account_id)):
        raise usual_error(service, 403, action.name)


def action_of(method: str, path: str) -> Action | None:
    """The action that a call needs, or None if none is documented."""
    call = f"{method} {path}"
    return next((action for pattern, action in _ACTIONS if pattern.fullmatch(call)), None)


def resources_of(path: str, account_id: str) -> tuple[str, ...]:
    """Return the names of the topic that a call is about, or nothing for other calls.

    The form is ``smn:<region>:<account id>:topic:<topic>``. Published policies write the topic in two ways, as its name
    and as its URN. Both are accepted here.
    """
    match = _TOPIC.match(path)
    if match is None:
        return ()
    prefix = f"smn:{match['region']}:{account_id}:topic:"
    return (prefix + match["name"], prefix + match["urn"])


def is_allowed(action: Action, documents: Iterable[Document], resources: tuple[str, ...] = ()) -> bool:
    """Whether a statement of `documents` allows the action and none denies it."""
    effects = {
        statement["Effect"]
        for document in documents
        for statement in document["Statement"]
        if _applies(statement, _names(action, document["Version"]))
        and (document["Version"] != "5.0" or _covers(statement, resources))
    }
    return "Allow" in effects and "Deny" not in effects


def _names(action: Action, version: str) -> tuple[str, ...]:
    return tuple(action) if version == "5.0" else (action.name,)


def _applies(statement: dict[str, Any], names: tuple[str, ...]) -> bool:
    # Resource types and operations are case-insensitive (Creating a Custom Policy).
    return any(_pattern(given, re.IGNORECASE).fullmatch(name) for given in statement["Action"] for name in names)


def _covers(statement: dict[str, Any], resources: tuple[str, ...]) -> bool:
    given = statement.get("Resource", ["*"])
    return "*" in given or any(_pattern(one).fullmatch(resource) for one in given for resource in resources)


def _pattern(given: str, flags: re.RegexFlag | int = 0) -> re.Pattern[str]:
    """Return a pattern in which "*" matches anything."""
    return re.compile(".*".join(map(re.escape, given.split("*"))), flags)
