"""track_backups: from a tick of a timer to the ends of backups on a topic; from a question to how far a backup is."""

from typing import Any

from shared.runtime import cold_start


with cold_start.importing():
    from shared.bootstrap import track_backups
    from shared.runtime.context import Context

    _function = track_backups()


def initializer(context: Context) -> None:
    """Called once for each instance of the function, before its first event, if it is configured."""
    _function.start(context)


def handler(event: object, context: Context) -> dict[str, Any]:
    """Called for each event."""
    return _function.handle(event, context)
