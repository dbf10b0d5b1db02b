"""The machine's clock."""

import time
from datetime import datetime, timezone


class SystemClock:
    """`shared.backups.ports.Clock`, for real."""

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Seconds since some moment in the past."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)
