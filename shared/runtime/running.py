"""What a function works with while it handles an event."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol

from shared.backups.announcing import Announcer
from shared.backups.notifications import Sender
from shared.backups.pace import Pace
from shared.backups.ports import Backups, Clock, Instances, Jobs, Topic
from shared.backups.retrying import Retrying
from shared.backups.waiting import Waiting
from shared.runtime.context import Context
from shared.runtime.invocation import Invocation
from shared.runtime.settings import SettingsT


class Cloud(Protocol):
    """Huawei Cloud for the life of the function's instance; tests hand in a fake."""

    @property
    def backups(self) -> Backups:
        """DDS: manual backups."""

    @property
    def jobs(self) -> Jobs:
        """DDS: the task list."""

    @property
    def instances(self) -> Instances:
        """DDS: the instances."""

    @property
    def topic(self) -> Topic:
        """SMN: the topic that is told."""

    def topic_at(self, urn: str) -> Topic:
        """SMN: another topic."""

    def renew(self, context: Context, invocation: Invocation) -> Callable[[str], str]:
        """Take this invocation's credentials and deadline; returns what takes the secrets out of a text."""


@dataclass(frozen=True, slots=True)
class Running(Generic[SettingsT]):
    """One invocation at work: its settings, the cloud, time and chance, and who speaks on the topic."""

    settings: SettingsT
    cloud: Cloud
    invocation: Invocation
    sender: Sender
    clock: Clock
    rng: random.Random

    def waiting(self) -> Waiting:
        """Waiting within the time that is left for working."""
        return Waiting(self.clock, self.invocation.deadline.left_to_work)

    def retrying(self) -> Retrying:
        """What repeats harmless calls, within the time that is left for working."""
        return Retrying(self.waiting(), Pace(self.clock, self.rng), self.rng)

    def announcer(self) -> Announcer:
        """What speaks on the topic, within the time that is left for it."""
        waiting = Waiting(self.clock, self.invocation.deadline.left_to_notify)
        return Announcer(self.cloud.topic, Retrying(waiting, Pace(self.clock, self.rng), self.rng), self.sender)
