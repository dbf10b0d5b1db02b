"""A Huawei Cloud on localhost: IAM, DDS, SMN and FunctionGraph for the unmodified SDKs. Never deployed.

It is written from the API documents and imports nothing of `shared`: otherwise it would test the code with itself.
"""

from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from localcloud.local_cloud import LocalCloud
    from localcloud.server import serve


__all__ = ["LocalCloud", "serve"]


def __getattr__(name: str) -> Any:
    # Lazy: code that needs only the runtime of functions does not import the server, which takes half a second.
    if name == "LocalCloud":
        from localcloud.local_cloud import LocalCloud

        return LocalCloud
    if name == "serve":
        from localcloud.server import serve

        return serve
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
