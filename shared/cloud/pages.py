"""Lists of any length: page by page to the last, going on where it stood when the API throttles."""

from collections.abc import Callable, Iterator
from typing import Any

from shared.backups.errors import CloudError, TransientError
from shared.cloud.sdk import SdkService


PAGE = 100
"""Items a page, the most that DDS gives (DDS API, Querying the Backup List, limit)."""

_MOST_TRIES = 12
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 16.0


def read_pages(service: SdkService, page: Callable[[int], Any], field: str) -> Iterator[Any]:
    """The items of all pages; `page` is called with an offset in items, `field` is where an answer has them.

    `total_count` alone does not end the reading, since a sample of the API page contradicts itself by one that is too
    small. The first page is tried once, as every call is; a later one is waited for, so that a long list that is
    throttled half way need not begin anew.

    Raises:
        TransientError: a page has no list, or the list ended before `total_count`.
        CloudError: of the page that failed for good.
    """
    offset = 0
    while True:
        answer = _next(service, page, offset) if offset else page(0)
        items = getattr(answer, field)
        if items is None:
            raise TransientError(f"HTTP {answer.status_code} without {field}", status=answer.status_code)
        yield from items
        offset += len(items)
        total = answer.total_count or 0
        if not items and offset < total:
            raise TransientError(f"the list of {field} ended after {offset} of {total}", status=answer.status_code)
        if not items or (len(items) < PAGE and offset >= total):
            return


def _next(service: SdkService, page: Callable[[int], Any], offset: int) -> Any:
    pause = _FIRST_PAUSE
    for _ in range(_MOST_TRIES - 1):
        try:
            return page(offset)
        except CloudError as error:
            if not error.retryable or not service.wait(error.retry_after or pause):
                raise
            pause = min(pause * 2, _LONGEST_PAUSE)
    return page(offset)
