"""Makes each function call everything that it can call: the set-up as the user, then the events."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from localcloud import LocalCloud
from shared.bootstrap import audit_backups, create_backup, prune_backups, track_backups
from shared.errors import UnfinishedEventError
from tests.deliveries import CloudClock, Deliveries
from tests.fakes import FakeContext, Steady
from tests.triggers import documented as doc


DOMAIN_ID = "0f3d2f0c1c7f118d2f7a542a4e5c589a"
NIGHT = 86_400


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
        self.access_key = ""

    def allow(self, policy: Any) -> None:
        """Attach a policy of either model to the agency."""
        listed = self._http.get("/v3.0/OS-AGENCY/agencies", params={"domain_id": DOMAIN_ID}).json()
        (agency_id,) = (agency["id"] for agency in listed["agencies"])
        if policy["Version"] == "5.0":
            new = {"policy_name": self._agency, "policy_document": json.dumps(policy)}
            made = self._post("/v5/policies", new)["policy"]["policy_id"]
            self._http.post(f"/v5/policies/{made}/attach-agency", json={"agency_id": agency_id}).raise_for_status()
            return
        role = {"display_name": self._agency, "type": "XA", "description": "", "policy": policy}
        made = self._post("/v3.0/OS-ROLE/roles", {"role": role})["role"]["id"]
        project = self.cloud.connection()["project_id"]
        place = f"/v3.0/OS-AGENCY/projects/{project}/agencies/{agency_id}/roles/{made}"
        self._http.put(place).raise_for_status()

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

    def calls(self) -> list[Any]:
        """The calls that were made under the agency."""
        return [call for call in self.cloud.requests() if call["access_key"] == self.access_key]

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _option(self) -> dict[str, str]:
        return {"name": self._agency, "domain_id": DOMAIN_ID, "trust_domain_name": "op_svc_cff"}

    def _context(self, settings: dict[str, str]) -> FakeContext:
        role = {"agency_name": self._agency, "domain_id": DOMAIN_ID, "duration_seconds": NIGHT}
        auth = {"identity": {"methods": ["assume_role"], "assume_role": role}}
        key = self._post("/v3.0/OS-CREDENTIAL/securitytokens", {"auth": auth})["credential"]
        self.access_key = key["access"]
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


def _now(clock: CloudClock) -> str:
    return clock.now().isoformat()


REACHES: dict[str, Callable[[Reach], None]] = {
    "create_backup": _create,
    "audit_backups": _audit,
    "track_backups": _track,
    "prune_backups": _prune,
}
"""The exercise of each function of the template, by function name."""
