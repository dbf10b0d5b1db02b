"""TLS of the data plane: an authority of this process, and a certificate of each instance.

As in DDS, a certificate is for the address of the node in its network, which is not the one that a client connects to
here. So clients check the authority and not the name (DDS user guide, "Connecting ... over SSL": sslCAFile and
sslAllowInvalidHostnames).
"""

import ssl
import threading
from functools import cache
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    import trustme


# Local clouds in several threads have the same authority.
_MAKING = threading.Lock()


def authority_pem() -> str:
    """The certificate of the authority: the file that clients need."""
    with _MAKING:
        return _authority().cert_pem.bytes().decode()


def context(address: str) -> ssl.SSLContext:
    """What an instance with a node at `address` needs to accept TLS."""
    with _MAKING:
        return _context(address)


@cache
def _authority() -> "trustme.CA":
    # New in each process, and made when it is first needed: the import takes 0.1 s.
    import trustme

    return trustme.CA(organization_name="Local Huawei Cloud", organization_unit_name="DDS")


@cache
def _context(address: str) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority().issue_cert(address).configure_cert(made)
    return made
