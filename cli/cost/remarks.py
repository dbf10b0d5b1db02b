"""What somebody should look at before believing a month, or deploying it."""

from collections.abc import Iterator

from cli.cost.assumptions import Assumptions
from cli.cost.month import FunctionMonth, Month, kind_of
from cli.cost.settings import read_settings
from shared.create.function import CreateBackupSettings
from shared.prune.function import PruneBackupsSettings


def remarks(month: Month, assumptions: Assumptions) -> Iterator[str]:
    """Yield a sentence for each."""
    for function in month.functions:
        yield from _pace(function, assumptions)
        if kind_of(function.function) == "prune_backups":
            yield from _pruning(function, month)
        if not function.is_known and function.function.name not in assumptions.duration:
            yield (
                f"{function.function.name} is none of this application's functions: its calls are not counted, "
                f"its time only with --duration {function.function.name}=SECONDS."
            )
        triggers = [event for event in function.function.events if event.status != "DISABLED"]
        others = [event.name for event in triggers if event.type != "TIMER"]
        if others and not assumptions.events:
            yield f"{function.function.name}: the events of {', '.join(others)} are not counted; see --events."
    if not any(kind_of(function.function) == "prune_backups" for function in month.functions) and month.fleet.made:
        yield f"No function of the template deletes backups: {month.fleet.made:,.0f} more every month."


def _pace(function: FunctionMonth, assumptions: Assumptions) -> Iterator[str]:
    minutes = function.at_once / assumptions.calls_a_minute
    if minutes <= 1:
        return
    name, timeout = function.function.name, function.function.timeout
    text = f"{name}: at {assumptions.calls_a_minute} calls of DDS a minute an event takes {minutes:,.1f} minutes"
    if minutes * 60 <= timeout:
        yield f"{text}; its timeout is {timeout} s."
        return
    advice = f"more than its timeout of {timeout} s"
    if kind_of(function.function) != "create_backup":
        yield f"{text}, {advice}: raise it."
    elif read_settings(CreateBackupSettings, function.function).REQUEST_TOPIC_URN:
        yield f"{text}, {advice}: what is left is handed on, in more invocations than are counted here."
    else:
        yield f"{text}, {advice}: select the instances and set REQUEST_TOPIC_URN, or raise it."


def _pruning(function: FunctionMonth, month: Month) -> Iterator[str]:
    settings = read_settings(PruneBackupsSettings, function.function)
    most = settings.MAX_DELETES * function.invocations
    if settings.DRY_RUN:
        yield (
            f"{function.function.name}: DRY_RUN is on, so nothing is deleted: {month.fleet.made:,.0f} more backups "
            f"every month. The lists are counted as if each instance had {month.fleet.kept}."
        )
    elif month.fleet.made > most:
        yield (
            f"{function.function.name}: MAX_DELETES={settings.MAX_DELETES} deletes {most:,.0f} a month at most, "
            f"but {month.fleet.made:,.0f} are made: raise it."
        )
