"""create_backup: makes a backup of every instance that an event names or selects."""

from typing import Any

from shared.runtime import cold_start


with cold_start.importing():
    from shared.bootstrap import create_backup
    from shared.runtime.context import Context

    _function = create_backup()


def initializer(context: Context) -> None:
    """FunctionGraph calls this once for each instance of the function, before the first event."""
    _function.start(context)


def handler(event: object, context: Context) -> dict[str, Any]:
    """FunctionGraph calls this for each event."""
    return _function.handle(event, context)
