"""Powertools' `parse`, for FunctionGraph."""

from typing import overload

from shared.triggers.envelope import BatchEnvelope, ModelT, SingleEnvelope, validate


@overload
def parse(event: object, model: type[ModelT], envelope: None = None) -> ModelT: ...
@overload
def parse(event: object, model: type[ModelT], envelope: type[SingleEnvelope]) -> ModelT: ...
@overload
def parse(event: object, model: type[ModelT], envelope: type[BatchEnvelope]) -> list[ModelT]: ...
def parse(
    event: object, model: type[ModelT], envelope: type[SingleEnvelope] | type[BatchEnvelope] | None = None
) -> ModelT | list[ModelT]:
    """Validate what an event carries against `model`: one value, or a list for a trigger that delivers batches.

    Without an envelope the event itself is validated.

    Raises:
        InvalidRequestError: something does not fit; its `errors` name every fault and where it is.

    Example:
        parse(event, model=Order, envelope=SmnEnvelope)
    """
    return validate(event, model) if envelope is None else envelope.parse(event, model)
