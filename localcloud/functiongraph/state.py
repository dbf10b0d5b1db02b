"""FunctionGraph put together."""

from localcloud.functiongraph.functions import Functions
from localcloud.functiongraph.triggers import Triggers
from localcloud.region import Region
from localcloud.smn.state import SmnState
from localcloud.store import Store


class FunctionGraphState:
    """The functions of the project, with their triggers, packages and asynchronous configurations."""

    def __init__(self, region: Region, store: Store, smn: SmnState) -> None:
        self.functions = Functions(region, store)
        self.triggers = Triggers(self.functions, smn)

    def clear(self) -> None:
        """Forget them all."""
        functions = self.functions
        for table in (functions.functions, functions.packages, functions.triggers, functions.async_configs):
            table.clear()
