"""What the month costs in money, at the prices that the user gives: they differ by region, and none is known here."""

from dataclasses import dataclass

from cli.cost.assumptions import FREE_GB_SECONDS, FREE_REQUESTS
from cli.cost.month import Month


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices in whatever currency; None for what is not asked.

    Attributes:
        million_requests: for 1,000,000 invocations.
        gb_second: for a GB-second.
        backup_gb: for a GB of backup storage and month.
        is_free_left: whether the free requests and GB-seconds are left for this application: an account has them once.
    """

    million_requests: float | None = None
    gb_second: float | None = None
    backup_gb: float | None = None
    is_free_left: bool = True


@dataclass(frozen=True, slots=True)
class Storage:
    """Sizes in GB: of one backup, and of the storage of one instance."""

    backup: float
    instance: float

    def beyond_free(self, month: Month) -> float:
        """Return the GB that are billed: backups are free up to the storage of their instance.

        Source: DDS User Guide, Creating a Manual Backup. Automated backups, which use it too, are not counted.
        """
        return month.fleet.instances * max(0.0, month.fleet.kept * self.backup - self.instance)


def bill(month: Month, prices: Prices, storage: Storage | None) -> dict[str, float]:
    """Return the amount for each thing that has a price: requests, gb_seconds, backup_storage."""
    free = int(prices.is_free_left)
    amounts = {}
    if prices.million_requests is not None:
        amounts["requests"] = max(0.0, month.invocations - free * FREE_REQUESTS) / 1e6 * prices.million_requests
    if prices.gb_second is not None:
        amounts["gb_seconds"] = max(0.0, month.gb_seconds - free * FREE_GB_SECONDS) * prices.gb_second
    if prices.backup_gb is not None and storage:
        amounts["backup_storage"] = storage.beyond_free(month) * prices.backup_gb
    return amounts
