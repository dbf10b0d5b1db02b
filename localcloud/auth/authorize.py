"""Decide whether an agency may make a call."""

from collections.abc import Iterable

from localcloud.answers import usual_error
from localcloud.auth.actions import action_of
from localcloud.auth.policies import Document, is_allowed
from localcloud.errors import Service


def authorize(method: str, path: str, documents: Iterable[Document], service: Service) -> None:
    """Let a call pass that a policy allows and none denies, or raise the 403 of its service.

    The codes are those that the error tables of DDS (DBS.280032) and SMN (SMN.0001) have for a lack of permission, and
    IAM's 403 (IAM API, Querying an Agency List, example of a failed request).
    """
    action = action_of(method, path)
    if action is None:
        raise usual_error(service, 403, f"no documented action allows {method} {path}")
    if not is_allowed(action, documents):
        raise usual_error(service, 403, action.name)
