"""IAM's errors, in the words of its API reference's examples of failed requests."""

from localcloud.errors import CloudError


def bad_request(message: str) -> CloudError:
    """What is missing or wrong in a request."""
    return CloudError(400, "Bad Request", message)


def unauthorized(message: str = "The request you have made requires authentication.") -> CloudError:
    """Nobody known is calling."""
    return CloudError(401, "Unauthorized", message)


def forbidden() -> CloudError:
    """Somebody known is calling, and may not."""
    return CloudError(403, "Forbidden", "You are not authorized to perform the requested action.")


def not_found(what: str, name: str) -> CloudError:
    """What is not there: ``Could not find role: ...``."""
    return CloudError(404, "Not Found", f"Could not find {what}: {name}")


def conflict(message: str) -> CloudError:
    """What is there already."""
    return CloudError(409, "Conflict", message)
