"""Access to a cloud: a region of the real cloud with the user's own keys, or a local cloud.

Each service's SDK is large and no command needs them all, so they are imported on first use.
"""

import time
from collections.abc import Callable
from configparser import Error as ConfigParserError
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.auth.provider import EnvCredentialProvider, ProfileCredentialProvider

from cli.cloud import open_cloud
from cli.errors import WrongCall
from cli.huaweicloud.client import READ, Client, ServiceError
from shared.runtime.settings import regional_endpoint


APPLICATION = "default"
"""The application that the functions belong to: ``package`` in FunctionGraph's API."""

NO_KEYS = (ValueError, ConfigParserError)
"""What the SDK raises for missing variables, a missing file (its ApiValueError) and an unreadable file."""


@dataclass(frozen=True, slots=True)
class Keys:
    """An access key, and the project and account that the user configured with it, if any."""

    access_key: str
    secret_key: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)
    project_id: str | None = None
    domain_id: str | None = None


def find_keys() -> Keys:
    """Return the keys in the environment, or else those in the credentials file.

    The names are the SDK's: HUAWEICLOUD_SDK_AK, _SK, _SECURITY_TOKEN, _PROJECT_ID and _DOMAIN_ID. The file is
    ~/.huaweicloud/credentials or $HUAWEICLOUD_SDK_CREDENTIALS_FILE, with the sections [basic] and [global]. Raises
    WrongCall if neither has keys.
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
        "found no keys. Set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (for temporary keys also "
        "HUAWEICLOUD_SDK_SECURITY_TOKEN), or write them as ak and sk into the section [basic] of "
        "~/.huaweicloud/credentials. For a local cloud, give --cloud local"
    )


def _domain_id(provider: type[EnvCredentialProvider] | type[ProfileCredentialProvider]) -> str | None:
    try:
        return provider.get_global().get_credentials().domain_id or None
    except NO_KEYS:
        return None


class Access:
    """One project of a cloud, with a client for each service, created on first use."""

    def __init__(
        self,
        region: str,
        keys: Keys,
        endpoint: Callable[[str], str],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """*endpoint* returns the URL of a service: "iam", "smn", "functiongraph" or "dds"."""
        self.region = region
        self.keys = keys
        self.endpoint = endpoint
        self.sleep = sleep
        self.clock_skew: float | None = None
        """Seconds that this machine's clock is ahead of the cloud's, from the last response; None before the first."""

    @cached_property
    def domain_id(self) -> str:
        """The id of the account. Raises ServiceError if IAM does not return exactly one."""
        if self.keys.domain_id:
            return self.keys.domain_id
        from huaweicloudsdkiam.v3 import KeystoneListAuthDomainsRequest

        answer = self._global("").call("keystone_list_auth_domains", KeystoneListAuthDomainsRequest(), "domains")
        domains = answer["domains"]
        if len(domains) != 1:
            found = f"found {len(domains)} accounts, expected one: set HUAWEICLOUD_SDK_DOMAIN_ID"
            raise ServiceError("IAM.KeystoneListAuthDomains", None, None, found)
        return str(domains[0]["id"])

    @cached_property
    def project_id(self) -> str:
        """The id of the configured project, or else of the region's project. Raises WrongCall if there is none."""
        if self.keys.project_id:
            return self.keys.project_id
        from huaweicloudsdkiam.v3 import KeystoneListProjectsRequest

        request = KeystoneListProjectsRequest(name=self.region)
        projects = self._global("").call("keystone_list_projects", request, "projects")["projects"]
        if len(projects) != 1:
            raise WrongCall(
                f"found {len(projects)} projects called {self.region!r}, expected one: check --region, or set "
                "HUAWEICLOUD_SDK_PROJECT_ID"
            )
        return str(projects[0]["id"])

    def topic_urn(self, name: str) -> str:
        """Return the URN of the topic *name*, whether or not it exists (SMN API, Creating a Topic)."""
        return f"urn:smn:{self.region}:{self.project_id}:{name}"

    def function_urn(self, name: str) -> str:
        """Return the URN of all versions of the function *name* (FunctionGraph API, Function Model)."""
        return f"urn:fss:{self.region}:{self.project_id}:function:{APPLICATION}:{name}"

    @cached_property
    def iam(self) -> Client:
        """Identity and Access Management: policies, agencies, grants."""
        return self._global(self.domain_id)

    @cached_property
    def functiongraph(self) -> Client:
        """FunctionGraph: functions and triggers."""
        return self.functiongraph_within(READ)

    def functiongraph_within(self, seconds: float) -> Client:
        """Return a client of FunctionGraph that waits *seconds* for a response: as long as a function may run."""
        from huaweicloudsdkfunctiongraph.v2 import FunctionGraphClient

        return self._regional("FunctionGraph", "functiongraph", FunctionGraphClient, seconds)

    @cached_property
    def smn(self) -> Client:
        """Simple Message Notification: topics and subscriptions."""
        from huaweicloudsdksmn.v2 import SmnClient

        return self._regional("SMN", "smn", SmnClient)

    @cached_property
    def dds(self) -> Client:
        """Document Database Service: instances."""
        from huaweicloudsdkdds.v3 import DdsClient

        return self._regional("DDS", "dds", DdsClient)

    def list_instances(self) -> list[dict[str, Any]]:
        """Return the DDS instances of the project (DDS API, Querying Instances and Details)."""
        from huaweicloudsdkdds.v3 import ListInstancesRequest

        return [dict(item) for item in self.dds.pages("list_instances", ListInstancesRequest(), "instances", 100)]

    def count_recycled(self) -> int:
        """Return how many instances are in the recycle bin of DDS. Raises ServiceError."""
        from huaweicloudsdkdds.v3 import ListRecycleInstancesRequest

        request = ListRecycleInstancesRequest(offset=0, limit=1)
        return int(self.dds.call("list_recycle_instances", request, "total_count")["total_count"])

    def list_quotas(self) -> list[dict[str, Any]]:
        """Return quota and use of each mode of DDS instances. Raises ServiceError."""
        from huaweicloudsdkdds.v3 import ShowQuotasRequest

        answer = self.dds.call("show_quotas", ShowQuotasRequest(), "quotas")
        return [dict(item) for item in answer["quotas"]["resources"]]

    def _regional(self, name: str, service: str, sdk_client: Any, read_timeout: float = READ) -> Client:
        credentials = BasicCredentials(self.keys.access_key, self.keys.secret_key, self.project_id)
        return self._client(name, sdk_client, service, credentials, read_timeout)

    def _global(self, domain_id: str) -> Client:
        from huaweicloudsdkiam.v3 import IamClient

        credentials = GlobalCredentials(self.keys.access_key, self.keys.secret_key, domain_id)
        return self._client("IAM", IamClient, "iam", credentials)

    def _client(self, name: str, sdk_client: Any, service: str, credentials: Any, read_timeout: float = READ) -> Client:
        if self.keys.security_token:
            credentials = credentials.with_security_token(self.keys.security_token)
        endpoint = self.endpoint(service)
        return Client(name, sdk_client, endpoint, credentials, self.sleep, self._note_skew, read_timeout)

    def _note_skew(self, seconds: float) -> None:
        self.clock_skew = seconds


def open_access(cloud: str | None, region: str | None) -> Access:
    """Return the access that ``--cloud`` or ``--region`` selects. Raises WrongCall for both, neither, or no keys."""
    if cloud and region:
        raise WrongCall("give either --cloud for a local cloud or --region for the real one")
    return _local(cloud) if cloud else _real(region)


def _local(url: str) -> Access:
    with open_cloud(url) as cloud:
        given, connection = cloud.temporary_credentials(), cloud.connection
    keys = Keys(given.access_key, given.secret_key, given.security_token, connection.project_id)
    region = connection.topic_urn.split(":")[2]
    return Access(region, keys, lambda _: connection.endpoint)


def _real(region: str | None) -> Access:
    if not region:
        raise WrongCall("give --region, such as cn-north-4, or --cloud local for a local cloud")
    return Access(region, find_keys(), lambda service: regional_endpoint(service, region))
