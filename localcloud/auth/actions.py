"""Which action each call needs.

From "Permissions and Supported Actions" of the DDS API (dds_api_0037, and dds_api_0118 and dds_api_0301 for tasks) and
of the SMN API (Topic Operations, Message Publishing); the names in identity policies from the section "Authorization
Information" of an operation's page. What these pages do not list is not here, and needs more than any policy allows.
"""

import re

from localcloud.auth.policies import Action


_ID = "[^/]+"


def _call(method: str, path: str, name: str, identity_name: str | None = None) -> tuple[re.Pattern[str], Action]:
    pattern = re.sub(r"\\{\w+\\}", _ID, re.escape(f"{method} {path}"))
    return re.compile(pattern), Action(name, identity_name or name)


_DDS = "/v3/{project_id}"
_SMN = "/v2/{project_id}/notifications/topics"
# A literal segment goes before a parameter.
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


def action_of(method: str, path: str) -> Action | None:
    """The action that a call needs; None when the documents name none."""
    call = f"{method} {path}"
    return next((action for pattern, action in _ACTIONS if pattern.fullmatch(call)), None)
