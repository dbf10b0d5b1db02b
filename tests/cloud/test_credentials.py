"""The temporary credentials of an invocation."""

import pytest

from shared.cloud.credentials import Credentials
from shared.errors import CredentialsError
from tests.fakes import FakeContext


def test_credentials_show_nothing_secret() -> None:
    """The repr has no secret, and `redact` removes them from a text."""
    credentials = Credentials.of(FakeContext(), "p")

    assert "AGENCY" not in repr(credentials)
    assert credentials.redact("SK-OF-THE-AGENCY and TOKEN-OF-THE-AGENCY") == "*** and ***"


@pytest.mark.parametrize("missing", ["access_key", "secret_key", "security_token"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_a_function_without_an_agency_has_no_credentials(missing: str, nothing: str | None) -> None:
    """The error says what to configure."""
    context = FakeContext()
    setattr(context, missing, nothing)

    with pytest.raises(CredentialsError, match="configure an agency"):
        Credentials.of(context, "p")
