"""The local cloud put together: its services and its state, and how they are controlled from outside."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from localcloud.admin.schemas import Connection, InstanceLine
from localcloud.auth.credentials import Credentials, Owner
from localcloud.clock import Clock
from localcloud.dds.model import Instance
from localcloud.dds.state import DdsState
from localcloud.faults import Faults
from localcloud.functiongraph.jump import TimerRuns
from localcloud.functiongraph.runtime.model import Credentials as FunctionCredentials
from localcloud.functiongraph.service import FunctionGraph
from localcloud.iam.agencies import temporary_credentials
from localcloud.iam.state import IamState
from localcloud.region import Region, Switches
from localcloud.requests_log import RequestsLog
from localcloud.seed import Seed, plant
from localcloud.smn.state import SmnState
from localcloud.store import Store


@dataclass(frozen=True, slots=True)
class Start:
    """What a restart needs besides the facts: the digest of the seed, the offset of the clock, the switches."""

    id: str
    seed: str
    offset: float
    switches: dict[str, Any]


class Cloud:
    """One region with IAM, DDS, SMN and FunctionGraph, fault rules, and a log of requests.

    The user's credentials are new ones, or with `fixed_credentials` those of the seed.

    Raises ValueError for an unknown switch or an invalid value, and for a state file that is in use, is not a state
    file, or belongs to another seed or version.
    """

    def __init__(
        self,
        seed: Seed,
        switches: dict[str, Any],
        state_file: Path | None = None,
        clock: Clock | None = None,
        *,
        fixed_credentials: bool = False,
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
        owner = Owner(**seed.credentials.model_dump(), is_fixed=True) if fixed_credentials else Owner.new()
        self.credentials = Credentials(self.store, owner)
        self.iam = IamState(self.region, self.store, self.credentials)
        self.dds = DdsState(self.region, self.store)
        self.smn = SmnState(self.region, self.store)
        self.functiongraph = FunctionGraph(self.region, self.store, self.smn, self._assume)
        self.faults = Faults(self.region.clock, self.store)
        self.requests = RequestsLog(self.store)
        self._starts = self.store.table("start", Start)
        earlier = self._starts.get("start")
        if earlier is None:
            self.reset()
        elif earlier.seed != self._digest():
            self.store.close()
            raise ValueError(f"the state file {state_file} was made from another seed: use that seed, or a new file")
        else:
            self.region.clock.offset = earlier.offset
            self.region.switches = Switches.model_validate(earlier.switches | switches)

    def reset(self) -> None:
        """Go back to the seed and the given switches: no faults, no messages, no requests, the clock at the present."""
        self.region.clock.offset = 0.0
        self.region.switches = Switches.model_validate(self._given)
        self.credentials.clear()
        for table in (
            self.dds.instances,
            self.dds.stored_backups,
            self.dds.jobs,
            self.dds.contents,
            self.dds.restores,
            self.dds.recycle_bin,
            self.dds.backup_faults,
            self.smn.topics,
            self.smn.subscriptions,
            self.smn.messages,
            self.requests.records,
        ):
            table.clear()
        self.iam.clear()
        self.functiongraph.clear()
        self.faults.set([])
        plant(self.seed, self.dds, self.smn)
        self._remember()

    def close(self) -> None:
        """End running functions, and release the state file."""
        self.functiongraph.close()
        self.store.close()

    async def advance(self, seconds: float) -> list[TimerRuns]:
        """Move the clock forward by `seconds`. What becomes due runs in order, each at its own time."""
        return await self.functiongraph.advance(seconds, self._remember)

    def switch(self, changes: dict[str, Any]) -> Switches:
        """Change switches. Raises ValueError for an unknown switch or an invalid value."""
        self.dds.present()  # automatic backups that are due by now are made at the old rate
        self.region.switches = Switches.model_validate(self.region.switches.model_dump() | changes)
        self._remember()
        return self.region.switches

    def change_instance(self, instance_id: str, changes: dict[str, Any]) -> Instance:
        """Change fields of an instance. Raises DBS.280404 or DBS.200002 for an unknown one."""
        now = self.dds.present()
        instance = self.dds.instance(instance_id)
        # Automatic backups that are due by now exist. Those missed while the instance is not normal are never made up.
        policy = instance.policy and replace(instance.policy, since=now)
        instance = replace(instance, policy=policy, **changes)
        self.dds.instances.put(instance)
        return instance

    def connection(self, endpoint: str) -> Connection:
        """What a client needs: endpoint, credentials, a topic, and the instances that can be backed up."""
        owner = self.credentials.owner
        return Connection(
            endpoint=endpoint,
            region=self.region.id,
            project_id=self.region.project_id,
            access_key=owner.access_key,
            secret_key=owner.secret_key,
            security_token=owner.security_token,
            token=owner.token,
            topic_urn=f"urn:smn:{self.region.id}:{self.region.project_id}:{self.seed.topics[0].name}",
            instance_ids=[
                instance.id
                for instance in self.seed.instances
                if instance.status == instance.hidden_node == "normal"
                and not instance.actions
                and instance.fails_with is None
                and self.dds.instances.get(instance.id) is not None
            ],
            instances=[
                InstanceLine(id=one.id, name=one.name, mode=one.mode, status=one.status, tags=one.tags)
                for one in self.dds.instances
            ],
        )

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
