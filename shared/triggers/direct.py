"""A direct call, such as the console's test dialog or the SDK's invoke: the event is the payload."""

from shared.triggers.envelope import Envelope, Message


class DirectEnvelope(Envelope):
    """The event itself. It has no marks: `recognize` falls back to it if no other trigger's marks are found."""

    trigger = "direct"
    is_asynchronous = False

    @classmethod
    def recognizes(cls, event: object) -> bool:
        """Any object."""
        return isinstance(event, dict)

    @classmethod
    def open(cls, event: object) -> list[Message]:
        """Return the event as the only message."""
        return [Message(event)]
