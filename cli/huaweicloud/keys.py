"""The user's own keys, where the SDK looks for them: its environment variables, then its credentials file."""

from configparser import Error as ConfigParserError
from dataclasses import dataclass, field

from huaweicloudsdkcore.auth.provider import EnvCredentialProvider, ProfileCredentialProvider

from cli.errors import WrongCall


NO_KEYS = (ValueError, ConfigParserError)
"""What the SDK raises for variables that are not set and a file that is not there (its ApiValueError) or unreadable."""


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key, and the project and account that its owner named, if any."""

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)
    project_id: str | None = None
    domain_id: str | None = None


def find_keys() -> Keys:
    """Return the keys of the environment, else those of the credentials file.

    The names are the SDK's: HUAWEICLOUD_SDK_AK, _SK, _SECURITY_TOKEN, _PROJECT_ID and _DOMAIN_ID; the file is
    ~/.huaweicloud/credentials or $HUAWEICLOUD_SDK_CREDENTIALS_FILE, with the sections [basic] and [global]. Raises
    WrongCall when neither has keys.
    """
    for provider in (EnvCredentialProvider, ProfileCredentialProvider):
        try:
            basic = provider.get_basic().get_credentials()
        except NO_KEYS:
            continue
        if basic.ak and basic.sk:
            return Keys(
                basic.ak, basic.sk, basic.security_token or None, basic.project_id or None, _domain_id(provider)
            )
    raise WrongCall(
        "found no keys. Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (with temporary keys "
        "HUAWEICLOUD_SDK_SECURITY_TOKEN too), or write them as ak and sk below [basic] into "
        "~/.huaweicloud/credentials; for a local cloud give --cloud local"
    )


def _domain_id(provider: type[EnvCredentialProvider] | type[ProfileCredentialProvider]) -> str | None:
    try:
        return provider.get_global().get_credentials().domain_id or None
    except NO_KEYS:
        return None
