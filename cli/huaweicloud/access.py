"""Where a cloud is and how to get in: a real region with the user's own keys, or a local cloud.

The SDKs of the services are imported by what needs them: they are large, and no command needs all.
"""

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials

from cli.cloud import open_cloud
from cli.errors import WrongCall
from cli.huaweicloud.client import Client
from cli.huaweicloud.errors import ServiceError
from cli.huaweicloud.keys import Keys, find_keys
from shared.runtime.settings import regional_endpoint


APPLICATION = "default"
"""The group that the functions are in: ``package`` in FunctionGraph's API."""


class Access:
    """One project of a cloud, and a client for each service, made when it is first needed."""

    def __init__(
        self,
        region: str,
        keys: Keys,
        endpoint: Callable[[str], str],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """*endpoint* gives the URL of a service: "iam", "smn", "functiongraph" or "dds"."""
        self.region = region
        self.keys = keys
        self.endpoint = endpoint
        self._sleep = sleep
        self.clock_skew: float | None = None
        """Seconds that this machine is ahead of the cloud, from the last answer; None before the first."""

    @cached_property
    def domain_id(self) -> str:
        """The id of the account. Raises ServiceError when IAM does not tell."""
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
        """The id of the project: the one that was given, else that of the region. Raises WrongCall without one."""
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
        """The URN of the topic *name*, whether it exists or not (SMN API, Creating a Topic)."""
        return f"urn:smn:{self.region}:{self.project_id}:{name}"

    def function_urn(self, name: str) -> str:
        """The URN of all versions of the function *name* (FunctionGraph API, Function Model)."""
        return f"urn:fss:{self.region}:{self.project_id}:function:{APPLICATION}:{name}"

    @cached_property
    def iam(self) -> Client:
        """Identity and Access Management: policies, agencies, grants."""
        return self._global(self.domain_id)

    @cached_property
    def functiongraph(self) -> Client:
        """FunctionGraph."""
        from huaweicloudsdkfunctiongraph.v2 import FunctionGraphClient

        return self._regional("FunctionGraph", "functiongraph", FunctionGraphClient)

    @cached_property
    def smn(self) -> Client:
        """Simple Message Notification."""
        from huaweicloudsdksmn.v2 import SmnClient

        return self._regional("SMN", "smn", SmnClient)

    @cached_property
    def dds(self) -> Client:
        """Document Database Service."""
        from huaweicloudsdkdds.v3 import DdsClient

        return self._regional("DDS", "dds", DdsClient)

    def _regional(self, name: str, service: str, sdk_client: Any) -> Client:
        credentials = BasicCredentials(self.keys.access_key, self.keys.secret_key, self.project_id)
        if self.keys.security_token:
            credentials = credentials.with_security_token(self.keys.security_token)
        return self._client(name, sdk_client, service, credentials)

    def _global(self, domain_id: str) -> Client:
        from huaweicloudsdkiam.v3 import IamClient

        credentials = GlobalCredentials(self.keys.access_key, self.keys.secret_key, domain_id)
        if self.keys.security_token:
            credentials = credentials.with_security_token(self.keys.security_token)
        return self._client("IAM", IamClient, "iam", credentials)

    def _client(self, name: str, sdk_client: Any, service: str, credentials: Any) -> Client:
        return Client(name, sdk_client, self.endpoint(service), credentials, self._sleep, self._note_skew)

    def _note_skew(self, seconds: float) -> None:
        self.clock_skew = seconds


def real_access(region: str | None) -> Access:
    """A region of the real cloud, with the keys that the SDK's own variables or file hold. Raises WrongCall."""
    if not region:
        raise WrongCall("give --region, such as cn-north-4, or --cloud local for a local cloud")
    return Access(region, find_keys(), lambda service: regional_endpoint(service, region))


def local_access(url: str) -> Access:
    """A local cloud at *url*, or at the default address when it is "local". Raises WrongCall if none answers there."""
    with open_cloud(url) as cloud:
        given, connection = cloud.temporary_credentials(), cloud.connection
    keys = Keys(given.access_key, given.secret_key, given.security_token, connection.project_id)
    region = connection.topic_urn.split(":")[2]
    return Access(region, keys, lambda _: connection.endpoint)


def open_access(cloud: str | None, region: str | None) -> Access:
    """What ``--cloud`` and ``--region`` name. Raises WrongCall for both, for neither, and without keys."""
    if cloud and region:
        raise WrongCall("give either --cloud, a local cloud, or --region, the real one")
    return local_access(cloud) if cloud else real_access(region)
