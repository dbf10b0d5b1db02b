"""drill_backups: restores backups to new instances, checks what came back, and deletes the instances."""

from typing import Any

from shared.runtime import cold_start


with cold_start.importing():
    from shared.bootstrap import drill_backups
    from shared.runtime.context import Context

    _function = drill_backups()


def initializer(context: Context) -> None:
    """FunctionGraph calls this once for each instance of the function, before the first event."""
    _function.start(context)


def handler(event: object, context: Context) -> dict[str, Any]:
    """FunctionGraph calls this for each event."""
    return _function.handle(event, context)
