"""Lists in pages, as IAM numbers them: from 1, and only when both numbers are given."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from localcloud.iam.errors import bad_request


Page = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
T = TypeVar("T")


def page_of(items: Sequence[T], page: int | None, per_page: int | None) -> Sequence[T]:
    """The items of a page, all without one. Raises 400 for one number without the other."""
    if (page is None) != (per_page is None):
        raise bad_request("page and per_page go together")
    if page is None or per_page is None:
        return items
    return items[(page - 1) * per_page : page * per_page]
