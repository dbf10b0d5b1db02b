"""Calling again what failed without harm: for calls that only read, or that are the same when repeated."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from shared.backups.backoff import backoff
from shared.backups.errors import CloudError, ThrottledError
from shared.backups.pace import Pace
from shared.backups.waiting import Waiting


ResultT = TypeVar("ResultT")

_MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Retrying:
    """Calls again after errors that a retry can help, at the pace that the API allows and while there is time."""

    waiting: Waiting
    pace: Pace
    rng: random.Random

    def call(self, function: Callable[[], ResultT]) -> ResultT:
        """What `function` returns, at the latest at the fifth try; throttled tries do not count.

        Raises:
            CloudError: of the last try.
        """
        tries = 0
        while True:
            if not self.waiting.turn(self.pace):
                if self.pace.delay():
                    raise ThrottledError("the pause that the API asked for outlasts the invocation")
                return function()  # no time to wait: one try, whose error is the caller's answer
            try:
                result = function()
            except ThrottledError as error:
                self.pace.throttled(error.retry_after)
                if self.waiting.left() <= 0:
                    raise
            except CloudError as error:
                tries += 1
                delay = backoff(tries, self.rng, first=0.5, most=8)
                if not error.retryable or tries >= _MOST_TRIES or not self.waiting.wait(delay):
                    raise
            else:
                self.pace.accepted()
                return result
