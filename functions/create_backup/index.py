"""create_backup: from an event that names DDS instances to a manual backup of each and its job id on a topic."""

from typing import Any

from shared.runtime import cold_start


with cold_start.importing():
    from shared.bootstrap import create_backup
    from shared.runtime.context import Context

    _function = create_backup()


def initializer(context: Context) -> None:
    """Called once for each instance of the function, before its first event, if it is configured."""
    _function.start(context)


def handler(event: object, context: Context) -> dict[str, Any]:
    """Called for each event."""
    return _function.handle(event, context)
