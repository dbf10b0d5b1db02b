"""The errors that a command answers with (MongoDB manual, "Error Codes")."""


class MongoError(Exception):
    """An error with MongoDB's code, its name, and a message."""

    def __init__(self, code: int, name: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = name


def bad_value(message: str) -> MongoError:
    """A command, filter or update that MongoDB refuses."""
    return MongoError(2, "BadValue", message)


def not_implemented(what: str) -> MongoError:
    """Something that MongoDB knows and the local cloud does not: an error rather than a wrong result."""
    return MongoError(238, "NotImplemented", f"{what} is not implemented by the local cloud")
