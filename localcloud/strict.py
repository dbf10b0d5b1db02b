"""The base of models for input that people write: no unknown field, no conversion of types."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Strict(BaseModel):
    """A frozen model that rejects unknown fields, strings for numbers, and numbers for booleans."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _list_known_fields(cls, given: Any) -> Any:
        unknown = [str(name) for name in given if name not in cls.model_fields] if isinstance(given, dict) else []
        if unknown:
            raise ValueError(f"unknown field: {', '.join(unknown)}. Known fields: {', '.join(cls.model_fields)}")
        return given
