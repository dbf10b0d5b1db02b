"""Making the changes of a plan one after the other. A replacement that fails puts the old resource back.

FunctionGraph has one function of a name and, for most types, one trigger of a source: two of them cannot exist at once
(FunctionGraph API, Error Codes: FSS.1061, FSS.1141, FSS.1148, FSS.1150). The old one is therefore deleted first.

Nothing is stored on this machine. After a process that was killed in between, the cloud lacks the resource and the
template has it, so the next run creates it.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from cli.deploy.plan import Action, Change
from cli.huaweicloud.client import ServiceError
from cli.huaweicloud.resources import Found, Kind, Resource, Service


PAUSES = (2.0, 10.0)
"""Seconds before each further attempt to put a resource back."""

INTERRUPTED = 130
"""The exit status after Ctrl-C: 128 and the number of SIGINT, as in a shell."""


class Observer(Protocol):
    """Follows the steps while they are carried out."""

    def begins(self, change: Change) -> None:
        """A step begins."""

    def ends(self, change: Change, error: ServiceError | None) -> None:
        """A step has ended, with an error if it failed."""


@runtime_checkable
class Keeper(Protocol):
    """A service whose `Found` is not enough to create the resource again."""

    def keep(self, found: Found) -> Resource:
        """Return all that *create* needs to bring *found* back. Raises ServiceError."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of the steps, which keep their order: done, undone, failed, not begun.

    Attributes:
        undone: the steps of the failed replacement that were done and taken back.
        failed: the step that failed, because of *error*.
        is_put_back: after a failed replacement, whether the old resource is there. None if none failed.
        put_back_error: why it is not.
        exit_status: that of Ctrl-C (130) or SIGTERM (143), if one ended the run.
    """

    done: tuple[Change, ...]
    undone: tuple[Change, ...] = ()
    failed: Change | None = None
    error: ServiceError | None = None
    not_begun: tuple[Change, ...] = ()
    is_put_back: bool | None = None
    put_back_error: ServiceError | None = None
    exit_status: int | None = None


def carry_out(
    changes: Sequence[Change],
    where: Mapping[Kind, Service],
    observer: Observer,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """Make the changes in order, up to the first that fails. Ctrl-C and SIGTERM count as a failure.

    If a replacement fails, or creating the parts of the replaced resource, the old resource is put back with its parts.
    """
    old: _Old | None = None
    for position, change in enumerate(changes):
        begun = old.position if old and old.has_part(change) else position
        observer.begins(change)
        try:
            if old and begun == position:
                old = None
            if change.action is Action.REPLACE and change.found and change.wanted:
                old = _Old(position, change.found, _kept(change, changes, where), change.parts, where)
            _make(change, where[change.resource.kind])
        except (ServiceError, KeyboardInterrupt, SystemExit) as caught:
            status = _status(caught)
            error = caught if isinstance(caught, ServiceError) else _interrupted(status)
            observer.ends(change, error)
            problem = old.put_back(sleep) if old else None
            kept = begun if old and not problem else position
            return Result(
                tuple(changes[:kept]),
                tuple(changes[kept:position]),
                change,
                error,
                tuple(changes[position + 1 :]),
                not problem if old else None,
                problem,
                status,
            )
        observer.ends(change, None)
    return Result(tuple(changes))


@dataclass(frozen=True, slots=True)
class _Old:
    """A resource that is being replaced by the step at *position*, as *kept*, by key with its parts."""

    position: int
    found: Found
    kept: Mapping[tuple[Kind, str], Resource]
    parts: tuple[Found, ...]
    where: Mapping[Kind, Service]

    def has_part(self, change: Change) -> bool:
        return self.found.resource.key in change.resource.parents

    def put_back(self, sleep: Callable[[float], None]) -> ServiceError | None:
        """Put it back with its parts. Returns why that failed, after several attempts."""
        for pause in (*PAUSES, None):
            try:
                for item in (self.found, *self.parts):
                    self._put_back(item)
            except ServiceError as error:
                if pause is None:
                    return error
                sleep(pause)
            else:
                break
        return None

    def _put_back(self, old: Found) -> None:
        """Leave *old* if it is still there; else delete what has taken its place, and create it."""
        key, service = old.resource.key, self.where[old.resource.kind]
        parents = [Found(Resource(*parent), "", None) for parent in old.resource.parents]
        for item in service.find({old.resource.name}, "", parents):
            if item.resource.key == key and item.resource.fields == old.resource.fields:
                return
            if item.resource.key == key:
                service.delete(item)
        service.create(self.kept[key])


def _kept(change: Change, changes: Sequence[Change], where: Mapping[Kind, Service]) -> dict[tuple[Kind, str], Resource]:
    """Return what creates the old resource and its parts again. Passwords are those of the wanted ones."""
    passwords = {item.wanted.key: item.wanted.sent_only for item in changes if item.wanted}
    kept = {}
    for item in (change.found, *change.parts):
        assert item  # noqa: S101 a replacement has a found resource
        service, key = where[item.resource.kind], item.resource.key
        if isinstance(service, Keeper):
            kept[key] = service.keep(item)
        else:
            kept[key] = replace(item.resource, sent_only=passwords.get(key, {}))
    return kept


def _make(change: Change, service: Service) -> None:
    if change.found and change.action in (Action.DELETE, Action.REPLACE):
        service.delete(change.found)
    if change.wanted and change.action in (Action.CREATE, Action.REPLACE):
        service.create(change.wanted)
    elif change.wanted and change.found:
        service.update(change.found, change.wanted, [field.name for field in change.fields])


def _status(caught: BaseException) -> int | None:
    """Return the exit status of a signal: `cli.main` makes SystemExit of SIGTERM."""
    if isinstance(caught, SystemExit):
        return int(caught.code or 0)
    return INTERRUPTED if isinstance(caught, KeyboardInterrupt) else None


def _interrupted(status: int | None) -> ServiceError:
    by = "Ctrl-C" if status == INTERRUPTED else "SIGTERM"
    text = "interrupted: the service may or may not have carried out this step"
    return ServiceError(by, None, None, text, advice="nothing, if you meant to stop here")
