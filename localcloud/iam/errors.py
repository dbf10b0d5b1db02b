"""The errors of IAM, as in the examples of failed requests of its API reference."""

from localcloud.errors import CloudError


def bad_request(message: str) -> CloudError:
    """400: a part of the request is missing or invalid."""
    return CloudError(400, "Bad Request", message)


def unauthorized(message: str = "The request you have made requires authentication.") -> CloudError:
    """401: the call is not authenticated."""
    return CloudError(401, "Unauthorized", message)


def forbidden() -> CloudError:
    """403: the caller is not allowed to make the call."""
    return CloudError(403, "Forbidden", "You are not authorized to perform the requested action.")


def not_found(what: str, name: str) -> CloudError:
    """404, in the form ``Could not find role: ...``."""
    return CloudError(404, "Not Found", f"Could not find {what}: {name}")


def conflict(message: str) -> CloudError:
    """409: the resource exists already, or is in use."""
    return CloudError(409, "Conflict", message)
