"""What a function works with while it handles an event."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol

from shared.backups.notifications import Sender
from shared.backups.ports import Backups, Clock, Instances, Jobs, Topic
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
