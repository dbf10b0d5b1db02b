"""What a stack that is not as wanted means for the backups, in the user's terms."""

from collections.abc import Callable, Collection, Iterator, Mapping

from cli.huaweicloud.resources import Kind, Resource
from cli.template.model import Function, Template


Key = tuple[Kind, str]
Gone = Callable[[Kind, str], str]
"""Says of a missing resource whether it was there before."""

DISABLED = "DISABLED"
"""The status of a trigger that starts nothing (FunctionGraph API, Creating a Trigger)."""

WITHOUT = {
    "create_backup": "no backup is made",
    "track_backups": "nobody is told how backups end",
    "prune_backups": "old backups are no longer pruned",
    "audit_backups": "nobody is told of a backup that is missing",
    "drill_backups": "no backup is restored to see whether it can be, and the instance of a drill that runs stays",
}
"""What it means that a function does not run, by its folder."""

BY_TIMER = {**WITHOUT, "create_backup": "there is no scheduled backup now"}
"""What it means that a function has no timer."""


def consequences(
    template: Template, wanted: Collection[Resource], there: Mapping[Key, Resource], before: Mapping[Key, Resource]
) -> Iterator[str]:
    """Yield a sentence for each *wanted* resource that is not *there* or does not work, unless another includes it.

    *before* has what was there before the run, which tells "any more" from "not yet", and new code from old.
    """
    missing = {resource.key: resource for resource in wanted if resource.key not in there}

    def gone(kind: Kind, name: str) -> str:
        return f"the {kind.value} {name} {'is gone' if (kind, name) in before else 'does not exist yet'}"

    for function in template.functions:
        without = WITHOUT.get(function.code_uri.name, f"{function.name} does not run")
        if (Kind.FUNCTION, function.name) in missing:
            yield _sentence(without, gone(Kind.FUNCTION, function.name))
            continue
        lacks = [key for key in ((Kind.AGENCY, function.agency or ""), *_grants(function, wanted)) if key in missing]
        if lacks:
            yield _sentence(without, f"{gone(*lacks[0])}, which {function.name} needs to call DDS and SMN")
            continue
        yield from _of_code(function, wanted, there, before)
        yield from _of_triggers(function, wanted, there, gone)
        if (Kind.ASYNC_INVOCATION, function.name) in missing:
            yield _sentence(
                f"a failed event of {function.name} is retried as the platform's defaults say, and its failure goes "
                "nowhere",
                "its asynchronous invocation is not configured",
            )
    yield from _of_topics(wanted, missing, gone)


def _of_code(
    function: Function, wanted: Collection[Resource], there: Mapping[Key, Resource], before: Mapping[Key, Resource]
) -> Iterator[str]:
    """Say that the upload of new code was the last thing that worked."""
    key = (Kind.FUNCTION, function.name)
    new = next(item.fields for item in wanted if item.key == key)
    if key not in before or before[key].fields["code"] == new["code"] or there[key].fields["code"] != new["code"]:
        return
    old = [name for name, value in new.items() if there[key].fields.get(name) != value]
    if old:
        yield _sentence(
            f"{function.name} may fail", f"it runs its new code with the old configuration ({', '.join(old)})"
        )


def _of_triggers(
    function: Function, wanted: Collection[Resource], there: Mapping[Key, Resource], gone: Gone
) -> Iterator[str]:
    own = [item for item in wanted if item.kind is Kind.TRIGGER and item.fields["function"] == function.name]
    timers = [item for item in own if item.fields["type"] == "TIMER"]
    idle = {item.key: _idle(item, there, gone) for item in own}
    for item in own:
        reason = idle[item.key]
        if not reason:
            continue
        if item not in timers:
            yield _sentence(f"requests by {item.fields['type']} start nothing", reason)
        elif all(idle[timer.key] for timer in timers):
            meaning = BY_TIMER.get(function.code_uri.name, f"no timer starts {function.name}")
            yield _sentence(meaning, reason)
        else:
            yield _sentence("what this timer starts does not run", reason)


def _idle(trigger: Resource, there: Mapping[Key, Resource], gone: Gone) -> str:
    """Return why a wanted trigger starts nothing. Empty if it works, or is to be disabled."""
    if trigger.key not in there:
        return gone(*trigger.key)
    is_disabled = there[trigger.key].fields["status"] == DISABLED != trigger.fields["status"]
    return f"the trigger {trigger.name} is disabled" if is_disabled else ""


def _of_topics(wanted: Collection[Resource], missing: Collection[Key], gone: Gone) -> Iterator[str]:
    for topic in wanted:
        if topic.kind is not Kind.TOPIC:
            continue
        subscriptions = [item for item in wanted if item.kind is Kind.SUBSCRIPTION and topic.key in item.parents]
        lost = [item for item in subscriptions if item.key in missing]
        if topic.key in missing:
            yield _sentence("backups are made but nobody is told", gone(*topic.key))
        elif lost and len(lost) == len(subscriptions):
            yield _sentence("backups are made but nobody is told", gone(*lost[0].key))
        else:
            for item in lost:
                yield _sentence(f"{item.fields['endpoint']} is not told", gone(*item.key))


def _grants(function: Function, wanted: Collection[Resource]) -> list[Key]:
    """Return the policies of the function's agency, and that it has them."""
    grants = [item for item in wanted if item.kind is Kind.GRANT and item.fields["agency"] == function.agency]
    return [key for item in grants for key in ((Kind.POLICY, str(item.fields["policy"])), item.key)]


def _sentence(meaning: str, reason: str) -> str:
    return f"{meaning[0].upper()}{meaning[1:]}: {reason}."
