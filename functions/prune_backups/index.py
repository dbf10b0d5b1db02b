"""prune_backups: deletes the backups of this application that no retention rule keeps."""

from typing import Any

from shared.runtime import cold_start


with cold_start.importing():
    from shared.bootstrap import prune_backups
    from shared.runtime.context import Context

    _function = prune_backups()


def initializer(context: Context) -> None:
    """FunctionGraph calls this once for each instance of the function, before the first event."""
    _function.start(context)


def handler(event: object, context: Context) -> dict[str, Any]:
    """FunctionGraph calls this for each event."""
    return _function.handle(event, context)
