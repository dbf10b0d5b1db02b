"""The local cloud put together: its state, and what can be asked of it from outside."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from localcloud.auth.credentials import Credentials
from localcloud.clock import Clock
from localcloud.dds.state import DdsState, Instance
from localcloud.faults import Faults
from localcloud.functiongraph.runtime.invocation import Credentials as FunctionCredentials
from localcloud.functiongraph.state import FunctionGraphState
from localcloud.iam.agencies import temporary_credentials
from localcloud.iam.state import IamState
from localcloud.plant import plant
from localcloud.region import Region
from localcloud.requests_log import RequestsLog
from localcloud.seed import Seed
from localcloud.smn.state import SmnState
from localcloud.store import Store
from localcloud.switches import Switches


@dataclass(frozen=True, slots=True)
class Start:
    """What survives a restart beside the facts: which seed they grew from, how far the clock was moved, switches."""

    id: str
    seed: str
    offset: float
    switches: dict[str, Any]


class Cloud:
    """One region with IAM, DDS, SMN and FunctionGraph, its faults and its log of calls.

    Raises ValueError for a switch that is unknown or has an impossible value, and for a state file that is in use, is
    something else, or goes with another seed or version.
    """

    def __init__(
        self, seed: Seed, switches: dict[str, Any], state_file: Path | None = None, clock: Clock | None = None
    ) -> None:
        given = Switches.model_validate(switches)
        self.seed = seed
        self._given = switches
        self.store = Store(state_file)
        self.region = Region(
            id=seed.region,
            project_id=seed.project.id,
            domain_id=seed.domain.id,
            domain_name=seed.domain.name,
            clock=clock or Clock(),
            switches=given,
        )
        self.credentials = Credentials(self.store)
        self.iam = IamState(self.region, self.store, self.credentials)
        self.dds = DdsState(self.region, self.store)
        self.smn = SmnState(self.region, self.store)
        self.functiongraph = FunctionGraphState(self.region, self.store, self.smn, self._assume)
        self.faults = Faults(self.region.clock, self.store)
        self.requests = RequestsLog(self.store)
        self._starts = self.store.table("start", Start)
        earlier = self._starts.get("start")
        if earlier is None:
            self.reset()
        elif earlier.seed != self._digest():
            self.store.close()
            raise ValueError(f"the state file {state_file} was made from another seed: use that one, or a new file")
        else:
            self.region.clock.offset = earlier.offset
            self.region.switches = Switches.model_validate(earlier.switches | switches)

    def reset(self) -> None:
        """Put everything back to the seed: the same credentials, the clock at the present, no faults, no messages."""
        self.region.clock.offset = 0.0
        self.region.switches = Switches.model_validate(self._given)
        self.credentials.clear()
        for table in (
            self.dds.instances,
            self.dds.stored_backups,
            self.dds.jobs,
            self.smn.topics,
            self.smn.subscriptions,
            self.smn.messages,
            self.requests.records,
        ):
            table.clear()
        self.iam.clear()
        self.functiongraph.clear()
        self.faults.set([])
        plant(self.seed, self.credentials, self.dds, self.smn)
        self._remember()

    def close(self) -> None:
        """End what is at work, and let go of the file."""
        self.functiongraph.close()
        self.store.close()

    def advance(self, seconds: float) -> None:
        """Move the clock forward; timers that become due fire."""
        self.region.clock.offset += seconds
        self.functiongraph.tick()
        self._remember()

    def switch(self, changes: dict[str, Any]) -> Switches:
        """Change switches. Raises ValueError for one that is unknown or has an impossible value."""
        self.dds.present()  # what is due so far is made at the rate so far
        self.region.switches = Switches.model_validate(self.region.switches.model_dump() | changes)
        self._remember()
        return self.region.switches

    def change_instance(self, instance_id: str, changes: dict[str, Any]) -> Instance:
        """Give an instance another status, actions or fate of its backups."""
        now = self.dds.present()
        instance = self.dds.instance(instance_id)
        # What was due so far has been made; what would have been due while the instance is not well never will be.
        policy = instance.policy and replace(instance.policy, since=now)
        instance = replace(instance, policy=policy, **changes)
        self.dds.instances.put(instance)
        return instance

    def connection(self, endpoint: str) -> dict[str, Any]:
        """What a client needs: endpoint, credentials, a topic, and the instances that can be backed up."""
        seed = self.seed.credentials
        return {
            "endpoint": endpoint,
            "region": self.region.id,
            "project_id": self.region.project_id,
            "access_key": seed.access_key,
            "secret_key": seed.secret_key,
            "security_token": seed.security_token,
            "token": seed.token,
            "topic_urn": f"urn:smn:{self.region.id}:{self.region.project_id}:{self.seed.topics[0].name}",
            "instance_ids": [
                instance.id
                for instance in self.seed.instances
                if instance.status == instance.hidden_node == "normal"
                and not instance.actions
                and instance.fails_with is None
            ],
        }

    def _assume(self, agency: str, seconds: float) -> FunctionCredentials:
        key = temporary_credentials(self.iam, agency, seconds)
        token = self.credentials.issue_token(self.region.clock.now() + seconds, key.agency_id)
        return FunctionCredentials(key.id, key.secret, key.security_token or "", token.id)

    def _digest(self) -> str:
        return hashlib.sha256(self.seed.model_dump_json().encode()).hexdigest()

    def _remember(self) -> None:
        switches = self.region.switches.model_dump()
        self._starts.put(Start("start", self._digest(), self.region.clock.offset, switches))
        self.store.commit()
