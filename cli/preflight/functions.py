"""The functions of this application: their requests, settings and calls, and whether a template permits the calls."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import BaseModel

from cli.template.document import Level, Problem
from cli.template.load import Source
from cli.template.model import Function
from shared.audit.function import AuditBackupsSettings
from shared.audit.request import AuditRequest
from shared.create.function import CreateBackupSettings
from shared.create.request import BackupRequest
from shared.drill.function import DrillBackupsSettings
from shared.drill.request import DrillRequest
from shared.prune.function import PruneBackupsSettings
from shared.prune.request import PruneRequest
from shared.runtime.settings import Settings
from shared.track.function import TrackBackupsSettings
from shared.track.request import TrackRequest


class KnownFunction(NamedTuple):
    """A function of this application: its models, and the API operations that its code calls."""

    request: type[BaseModel]
    settings: type[Settings]
    operations: tuple[str, ...]


FUNCTIONS: Mapping[str, KnownFunction] = {
    "create_backup": KnownFunction(
        BackupRequest,
        CreateBackupSettings,
        ("DDS.CreateManualBackup", "DDS.ListBackups", "DDS.ListInstances", "DDS.ListTasks", "SMN.PublishMessage"),
    ),
    "audit_backups": KnownFunction(
        AuditRequest, AuditBackupsSettings, ("DDS.ListBackups", "DDS.ListInstances", "SMN.PublishMessage")
    ),
    "track_backups": KnownFunction(
        TrackRequest,
        TrackBackupsSettings,
        ("DDS.ListBackups", "DDS.ListTasks", "DDS.ShowJobDetail", "SMN.PublishMessage"),
    ),
    "prune_backups": KnownFunction(
        PruneRequest,
        PruneBackupsSettings,
        ("DDS.DeleteManualBackup", "DDS.ListBackups", "DDS.ListTasks", "SMN.PublishMessage"),
    ),
    "drill_backups": KnownFunction(
        DrillRequest,
        DrillBackupsSettings,
        (
            "DDS.BatchTagAction",
            "DDS.DeleteInstance",
            "DDS.ListBackups",
            "DDS.ListDatabases",
            "DDS.ListInstances",
            "DDS.ListRecycleInstances",
            "DDS.ListTasks",
            "DDS.ResetPassword",
            "DDS.RestartInstance",
            "DDS.RestoreNewInstance",
            "DDS.ShowQuotas",
            "SMN.PublishMessage",
        ),
    ),
}
"""By the folder of the entry file, because the template may give a function any name."""


def known_function(function: Function) -> KnownFunction | None:
    """Return what is known of *function*, or None if it is not of this application."""
    return FUNCTIONS.get(function.code_uri.name)


def function_problems(source: Source) -> Iterator[Problem]:
    """Yield the functions that are not known, and what the agencies of the others must be allowed, too."""
    managed = {function.agency for function in source.template.functions if function.permissions}
    for function in source.template.functions:
        known = known_function(function)
        if known is None:
            yield Problem(
                ("Resources", function.resource, "Properties", "CodeUri"),
                f"{function.code_uri.name} is not a function of this application: its settings and requests are not "
                "checked",
                f"a folder of the name {', '.join(FUNCTIONS)}",
                "nothing, if it is a function of your own",
                code="unknown_function",
                level=Level.NOT_CHECKED,
            )
        elif function.agency is None and not function.permissions:  # with permissions, the template itself is not valid
            yield Problem(
                ("Resources", function.resource, "Properties"),
                "found no Agency: the function gets no keys and cannot make any call",
                "an agency that allows its calls",
                "add Agency and Permissions, as in the template that comes with this command",
                code="agency",
            )
        elif function.agency and function.permissions:
            yield from _missing_permissions(function, known)
        elif function.agency not in managed:
            yield Problem(
                source.path(function, "Agency"),
                f"found no Permissions: the agency {function.agency} is not deployed",
                f"an agency that trusts FunctionGraph and allows {', '.join(known.operations)}",
                "nothing, if it exists: deploy and doctor check it. Otherwise add Permissions",
                code="existing_agency",
                level=Level.NOT_CHECKED,
            )


def _missing_permissions(function: Function, known: KnownFunction) -> Iterator[Problem]:
    missing = [operation for operation in known.operations if operation not in function.permissions]
    if missing:
        yield Problem(
            ("Resources", function.resource, "Properties", "Permissions"),
            f"{', '.join(missing)} is missing, which {function.code_uri.name} calls",
            ", ".join(known.operations),
            f"add {', '.join(missing)}",
            code="missing_permission",
        )
