"""Makes each function call everything that it can call: the set-up as the user, then the events."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx

from localcloud import LocalCloud
from shared.bootstrap import audit_backups, create_backup, drill_backups, prune_backups, track_backups
from shared.cloud.credentials import Credentials
from shared.cloud.restores import DdsRestores
from shared.cloud.sdk import HttpLimits, SdkService
from shared.drills import DrillName
from shared.errors import DeniedError, UnfinishedEventError
from tests.deliveries import CloudClock, Deliveries
from tests.fakes import FakeContext, Steady, make_retrying
from tests.triggers import documented as doc


DOMAIN_ID = "0f3d2f0c1c7f118d2f7a542a4e5c589a"
NIGHT = 86_400
PLACE = "9c1f6a52-7a52-4d52-9c46-3b5f3f5a6d11"
"""The enterprise project of the drills. An instance of the seed lies in it."""


class Reach:
    """A function that runs under an agency, in a local cloud with the backups that it needs."""

    def __init__(self, cloud: LocalCloud, agency: str) -> None:
        self.cloud = cloud
        self.instance = cloud.connection()["instance_ids"][0]
        self.nights = Deliveries(cloud, [self.instance])
        self._agency = agency
        self._http = httpx.Client(
            base_url=cloud.url, headers={"X-Auth-Token": cloud.connection()["token"]}, trust_env=False
        )
        self._post("/v3.0/OS-AGENCY/agencies", {"agency": self._option()})
        self.access_keys: set[str] = set()

    def allow(self, policy: Any, confined: Any = None) -> None:
        """Attach a policy of either model to the agency, and *confined* in the enterprise project of the drills."""
        listed = self._http.get("/v3.0/OS-AGENCY/agencies", params={"domain_id": DOMAIN_ID}).json()
        (agency_id,) = (agency["id"] for agency in listed["agencies"])
        if policy["Version"] == "5.0":
            new = {"policy_name": self._agency, "policy_document": json.dumps(policy)}
            made = self._post("/v5/policies", new)["policy"]["policy_id"]
            self._http.post(f"/v5/policies/{made}/attach-agency", json={"agency_id": agency_id}).raise_for_status()
            return
        made = self._custom_policy(self._agency, policy)
        project = self.cloud.connection()["project_id"]
        place = f"/v3.0/OS-AGENCY/projects/{project}/agencies/{agency_id}/roles/{made}"
        self._http.put(place).raise_for_status()
        if confined:
            made = self._custom_policy(f"{self._agency}-instances", confined)
            one = {"agency_id": agency_id, "enterprise_project_id": PLACE, "role_id": made}
            place = "/v3.0/OS-PERMISSION/subjects/agency/scopes/enterprise-project/role-assignments"
            self._http.put(place, json={"role_assignments": [one]}).raise_for_status()

    def _custom_policy(self, name: str, policy: Any) -> str:
        role = {"display_name": name, "type": "XA", "description": "", "policy": policy}
        return str(self._post("/v3.0/OS-ROLE/roles", {"role": role})["role"]["id"])

    def back_up(self, nights: int, pause: float = NIGHT) -> list[dict[str, Any]]:
        """Create a backup on each of *nights*, each followed by a pause in seconds, and return the results."""
        results = []
        for night in range(nights):
            text = json.dumps({"instance_ids": [self.instance]})
            self.nights.event = doc.smn(doc.smn_record(text, f"night {night}"))
            results += self.nights.deliver_until_it_succeeds()["results"]
            self.nights.clock.sleep(pause)
        return results

    def run(self, function: Callable[..., Any], *events: Any, **settings: str) -> None:
        """Deliver events to a function that runs under the agency."""
        context = self._context(settings)
        made = function(clock=self.nights.clock, rng=Steady(), environment={})
        for event in events:
            try:
                made.handle(event, context)
            except UnfinishedEventError:
                continue

    def restores(self) -> DdsRestores:
        """The calls of a drill by themselves, under the agency."""
        context = self._context({})
        service = SdkService.dds(self.cloud.url, context.project_id, HttpLimits(3.0, 10.0, 1))
        service.renew(Credentials.of(context, context.project_id), make_retrying(self.nights.clock, 60.0))
        return DdsRestores(service)

    def instances(self) -> list[dict[str, Any]]:
        """The instances of the project, as the owner of the local cloud sees them."""
        project = self.cloud.connection()["project_id"]
        listed = self._http.get(f"/v3/{project}/instances").raise_for_status().json()
        return list(listed["instances"])

    def calls(self) -> list[Any]:
        """The calls that were made under the agency."""
        return [call for call in self.cloud.requests() if call["access_key"] in self.access_keys]

    def credentials(self) -> FakeContext:
        """A context with temporary credentials of the agency."""
        return self._context({})

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _option(self) -> dict[str, str]:
        return {"name": self._agency, "domain_id": DOMAIN_ID, "trust_domain_name": "op_svc_cff"}

    def _context(self, settings: dict[str, str]) -> FakeContext:
        role = {"agency_name": self._agency, "domain_id": DOMAIN_ID, "duration_seconds": NIGHT}
        auth = {"identity": {"methods": ["assume_role"], "assume_role": role}}
        key = self._post("/v3.0/OS-CREDENTIAL/securitytokens", {"auth": auth})["credential"]
        self.access_keys.add(key["access"])
        return FakeContext(
            self.nights.context.user_data | settings,
            access_key=key["access"],
            secret_key=key["secret"],
            security_token=key["securitytoken"],
            project_id=self.nights.context.project_id,
        )

    def _post(self, path: str, body: Any) -> Any:
        return self._http.post(path, json=body).raise_for_status().json()


def _create(reach: Reach) -> None:
    # If the answer has no job id, the function looks it up in the task list.
    reach.cloud.switch(job_id_in_answer=False)
    by_tag = {"select": {"tags": {"team": ["orders"]}}}
    reach.run(create_backup, doc.smn(doc.smn_record(json.dumps(by_tag))))


def _audit(reach: Reach) -> None:
    policy = {"name": "nightly", "instance_ids": [reach.instance], "expected_interval": "1d", "grace": "2h"}
    reach.run(audit_backups, doc.timer(json.dumps({"policies": [policy]}), time=_now(reach.nights.clock)))


def _track(reach: Reach) -> None:
    (made,) = reach.back_up(1, pause=600)
    tick = doc.timer("", time=_now(reach.nights.clock))
    reach.run(track_backups, tick, {"job_id": made["job_id"]}, TRACK_PERIOD="15m")


def _prune(reach: Reach) -> None:
    reach.back_up(3)
    tick = doc.timer("", time=_now(reach.nights.clock))
    reach.run(prune_backups, tick, DRY_RUN="false", RETENTION="last=2")


def _drill(reach: Reach) -> None:
    reach.back_up(1)
    settings = {"DRY_RUN": "false", "DRILL_ENTERPRISE_PROJECT_ID": PLACE}
    now = _now(reach.nights.clock)
    reach.run(drill_backups, {"instance_ids": [reach.instance], "at": now}, **settings)
    reach.nights.clock.sleep(3600)
    # What a drill with DRILL_CONNECT calls besides, without waiting for a connection.
    for copy in (one["id"] for one in reach.instances() if DrillName.parse(one["name"])):
        with suppress(DeniedError):
            reach.restores().reset_password(copy, "aA1-aA1-aA1")
    for _ in range(5):
        reach.run(drill_backups, doc.timer("", time=_now(reach.nights.clock)), **settings)
        reach.nights.clock.sleep(1200)


def _now(clock: CloudClock) -> str:
    return clock.now().isoformat()


REACHES: dict[str, Callable[[Reach], None]] = {
    "create_backup": _create,
    "audit_backups": _audit,
    "track_backups": _track,
    "prune_backups": _prune,
    "drill_backups": _drill,
}
"""The exercise of each function of the template, by function name."""
