"""A direct call: the console's test dialog, the SDK's invoke. The event is the payload."""

from shared.triggers.envelope import Message, SingleEnvelope


class DirectEnvelope(SingleEnvelope):
    """The event itself. It bears no mark: `recognize` takes it for one if no other trigger does."""

    trigger = "direct"
    is_asynchronous = False

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """An object."""
        return isinstance(event, dict)

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """The event."""
        return [Message(event)]
