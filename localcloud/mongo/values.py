"""BSON values: how they compare, and those at a dotted path of a document.

MongoDB manual, "Comparison/Sort Order" and "Dot Notation".
"""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import singledispatch
from typing import Any
from uuid import UUID

from bson import (
    Binary,
    Code,
    DatetimeMS,
    DBRef,
    Decimal128,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
)
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument


Document = Mapping[str, Any]

# Dates stay numbers of milliseconds, so that those beyond the year 9999 can be read, too.
OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    document_class=dict, tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_MS
)
RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)

Key = tuple[int, Hashable]
"""What a value compares and hashes as."""

# The order of the types. Numbers are one type.
MIN, NULL, NUMBER, TEXT, OBJECT, ARRAY, BINARY, OBJECT_ID, BOOLEAN, DATE, TIMESTAMP, REGEX, CODE, MAX = range(14)


@singledispatch
def key_of(value: object) -> Key:
    """The key of a value: those of two values are equal, and ordered, as the values are in MongoDB.

    Raises TypeError for a value that is not BSON.
    """
    raise TypeError(f"{type(value).__name__} is not a BSON type")


@key_of.register
def _(_value: None) -> Key:
    return NULL, ()


@key_of.register
def _(value: bool) -> Key:
    return BOOLEAN, value


@key_of.register(int)
@key_of.register(float)
@key_of.register(Decimal128)
def _(value: float | Decimal128) -> Key:
    return NUMBER, _number(value)


@key_of.register
def _(value: str) -> Key:
    return TEXT, value


@key_of.register
def _(value: Code) -> Key:
    return CODE, (str(value), key_of(value.scope))


@key_of.register
def _(value: ObjectId) -> Key:
    return OBJECT_ID, value.binary


@key_of.register
def _(value: Mapping) -> Key:  # type: ignore[type-arg]
    keys = ((key_of(one), name) for name, one in value.items())
    return OBJECT, tuple((rank, name, rest) for (rank, rest), name in keys)


@key_of.register
def _(value: DBRef) -> Key:
    return key_of(value.as_doc())


@key_of.register(list)
@key_of.register(tuple)
def _(value: Sequence[object]) -> Key:
    return ARRAY, tuple(key_of(one) for one in value)


@key_of.register
def _(value: bytes) -> Key:
    return BINARY, (len(value), value.subtype if isinstance(value, Binary) else 0, bytes(value))


@key_of.register
def _(value: UUID) -> Key:
    return key_of(Binary.from_uuid(value))


@key_of.register
def _(value: DatetimeMS) -> Key:
    return DATE, int(value)


@key_of.register
def _(value: datetime) -> Key:
    return DATE, int(DatetimeMS(value))


@key_of.register
def _(value: Timestamp) -> Key:
    return TIMESTAMP, (value.time, value.inc)


@key_of.register
def _(value: Regex) -> Key:  # type: ignore[type-arg]
    return REGEX, (value.pattern, value.flags)


@key_of.register
def _(value: re.Pattern) -> Key:  # type: ignore[type-arg]
    return key_of(Regex.from_native(value))


@key_of.register
def _(_value: MinKey) -> Key:
    return MIN, ()


@key_of.register
def _(_value: MaxKey) -> Key:
    return MAX, ()


def _number(value: float | Decimal128) -> tuple[int, int | float | Decimal]:
    # NaN is equal to itself and less than every other number.
    number = value.to_decimal() if isinstance(value, Decimal128) else value
    is_nan = number.is_nan() if isinstance(number, Decimal) else number != number  # noqa: PLR0124
    return (0, 0) if is_nan else (1, number)


class Missing:
    """The value of a field that a document does not have."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


def values_at(value: object, path: Sequence[str]) -> Iterator[Any]:
    """Every value at a path. MISSING where a document does not have it, and nothing where an array has no documents.

    A part of the path is a field's name or a position in an array. The fields of an array are those of its elements.
    """
    if not path:
        yield value
    elif isinstance(value, Mapping):
        yield from values_at(value.get(path[0], MISSING), path[1:])
    elif isinstance(value, list):
        at_position = path[0].isdigit() and int(path[0]) < len(value)
        for element in value:
            if isinstance(element, Mapping) and not (at_position and path[0] not in element):
                yield from values_at(element, path)
        if at_position:
            yield from values_at(value[int(path[0])], path[1:])
    else:
        yield MISSING


def with_elements(values: Iterable[Any]) -> Iterator[Any]:
    """The values, and after each array its elements: what a condition on a field is compared with."""
    for value in values:
        yield value
        if isinstance(value, list):
            yield from value
