"""Huawei Cloud behind a switch that kills the invocation at any of its calls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.bootstrap import connect
from shared.model import Clock
from shared.retry import Retrying
from shared.runtime.context import Context
from shared.runtime.invocation import Cloud
from shared.runtime.settings import Settings


class Killed(BaseException):
    """The platform ends the process; no handler of errors sees it."""


class KillSwitch:
    """Counts the calls of an invocation and kills it at one: before the call is made, or after it, its answer lost."""

    def __init__(self) -> None:
        self._left: int | None = None
        self._after = False
        self._dead = False

    def arm(self, calls: int | None, *, after: bool) -> None:
        """Kill at the call of that number, from 0; None lets the next invocation live."""
        self._left, self._after, self._dead = calls, after, False

    def pass_on(self, call: Callable[[], Any]) -> Any:
        """Make a call, unless the process is dead by then."""
        if self._dead:
            raise Killed
        is_last = self._left == 0
        if self._left is not None:
            self._left -= 1
        if is_last and not self._after:
            self._dead = True
            raise Killed
        answer = call()
        if is_last:
            self._dead = True
            raise Killed
        return answer


class Behind:
    """An adapter whose every method goes through the switch."""

    def __init__(self, adapter: object, switch: KillSwitch) -> None:
        self._adapter = adapter
        self._switch = switch

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._adapter, name)
        return lambda *args, **kwargs: self._switch.pass_on(lambda: method(*args, **kwargs))


@dataclass
class KillableCloud:
    """The real connection, each adapter behind the switch."""

    cloud: Cloud
    switch: KillSwitch

    def __post_init__(self) -> None:
        self.backups: Any = Behind(self.cloud.backups, self.switch)
        self.jobs: Any = Behind(self.cloud.jobs, self.switch)
        self.instances: Any = Behind(self.cloud.instances, self.switch)
        self.topic: Any = Behind(self.cloud.topic, self.switch)

    def topic_at(self, urn: str) -> Any:
        """Another topic, behind the same switch."""
        return Behind(self.cloud.topic_at(urn), self.switch)

    def renew(self, context: Context, dds: Retrying, smn: Retrying) -> Callable[[str], str]:
        """Not a call to the cloud."""
        return self.cloud.renew(context, dds, smn)


def connect_behind(switch: KillSwitch) -> Callable[[Settings, str, Clock], Cloud]:
    """What a function is given in place of `connect`."""
    return lambda settings, project_id, clock: KillableCloud(connect(settings, project_id, clock), switch)
