"""audit_backups: from a timer that says which backups are expected to those that did not happen, on a topic."""

from typing import Any

from shared.runtime import cold_start


with cold_start.importing():
    from shared.bootstrap import audit_backups
    from shared.runtime.context import Context

    _function = audit_backups()


def initializer(context: Context) -> None:
    """Called once for each instance of the function, before its first event, if it is configured."""
    _function.start(context)


def handler(event: object, context: Context) -> dict[str, Any]:
    """Called for each event."""
    return _function.handle(event, context)
