"""The type of a decoded JSON document."""

from typing import TypeAlias


Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
JsonObject: TypeAlias = dict[str, Json]
