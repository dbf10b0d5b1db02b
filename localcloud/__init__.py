"""A Huawei Cloud on localhost: IAM, DDS, SMN and FunctionGraph for the unmodified SDKs. Never deployed.

Written from the API documents alone: nothing of `shared` is imported here, or it would prove the code by itself.
"""

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from localcloud.server import LocalCloud, serve


__all__ = ["LocalCloud", "serve"]


def __getattr__(name: str) -> Any:
    # Whoever needs the runtime of functions only does not wait half a second for the server.
    if name in __all__:
        from localcloud import server

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
