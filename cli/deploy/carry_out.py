"""Taking the steps of a plan, one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from cli.deploy.difference import Action, Change
from cli.huaweicloud.errors import ServiceError
from cli.huaweicloud.resources import Kind, Service


class Watcher(Protocol):
    """Is told how the steps get on."""

    def begins(self, change: Change) -> None:
        """A step is being taken."""

    def ends(self, change: Change, error: ServiceError | None) -> None:
        """It is done, or has failed."""


@dataclass(frozen=True, slots=True)
class Result:
    """How far it came: what is done, what failed and why, and what was not begun. Nothing is taken back."""

    done: tuple[Change, ...]
    failed: Change | None = None
    error: ServiceError | None = None
    not_begun: tuple[Change, ...] = ()


def carry_out(changes: Sequence[Change], where: Mapping[Kind, Service], watcher: Watcher) -> Result:
    """Take the steps in their order, up to the first that fails."""
    for position, change in enumerate(changes):
        watcher.begins(change)
        try:
            _take(change, where[change.resource.kind])
        except (ServiceError, KeyboardInterrupt) as caught:
            error = caught if isinstance(caught, ServiceError) else _interrupted()
            watcher.ends(change, error)
            return Result(tuple(changes[:position]), change, error, tuple(changes[position + 1 :]))
        watcher.ends(change, None)
    return Result(tuple(changes))


def _interrupted() -> ServiceError:
    text = "interrupted: whether this step was carried out is not known"
    return ServiceError("Ctrl-C", None, None, text, advice="nothing, if it was meant")


def _take(change: Change, service: Service) -> None:
    if change.found and change.action in (Action.DELETE, Action.REPLACE):
        service.delete(change.found)
    if change.wanted and change.action in (Action.CREATE, Action.REPLACE):
        service.create(change.wanted)
    elif change.wanted and change.found:
        service.update(change.found, change.wanted, [field.name for field in change.fields])
