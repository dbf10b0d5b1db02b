"""A Huawei Cloud on localhost: IAM, DDS and SMN for the unmodified SDKs. Never deployed.

Written from the API documents alone: nothing of `shared` is imported here, or it would prove the code by itself.
"""

from localcloud.server import LocalCloud, serve


__all__ = ["LocalCloud", "serve"]
