"""Azure behind the port Cloud: settings in, something that observes and applies out."""

from collections.abc import AsyncIterator, Callable, Sequence

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest

from governor.cloud import management
from governor.cloud.apply import Applier
from governor.cloud.arm import TUNING, Arm, Tuning
from governor.cloud.endpoint import endpoint
from governor.cloud.graph import Graph
from governor.cloud.observe import Observer
from governor.cloud.surveyor import Surveyor
from governor.core.cause import Scope
from governor.core.estate import Estate
from governor.core.needs import Needs
from governor.core.sighting import Cut, Rest, Seen, Sheet
from governor.core.step import Step
from governor.ports import Applied, Clock, Renew


class AzureCloud:
    """Resource Manager as ports.Cloud. One per worker: session, tokens and clients are reused across runs."""

    def __init__(self, arm: Arm, *, deadline: float = 300.0, keep_clusters: float = 10.0) -> None:
        self.arm = arm
        graph = Graph(arm)
        self._observer = Observer(arm, graph, keep_clusters)
        self._surveyor = Surveyor(arm, graph, self._observer.read_list)
        self._applier = Applier(arm, deadline)

    async def observe(self, scope: Scope, needs: Callable[[Estate], Needs], so_far: Estate | None = None) -> Estate:
        """Reads the Scope, then whatever `needs` asks for until it asks for nothing new. Raises Transient."""
        return await self._observer.observe(scope, needs, so_far)

    async def apply(self, remediation: str, step: Step, renew: Renew, correlation: str = "") -> Applied:
        """Checks, writes, waits, reads again. Raises only what `renew` raises."""
        try:
            return await self._applier.apply(remediation, step, renew, correlation)
        finally:
            self._observer.written()

    async def subscriptions(self, scopes: Sequence[str] = ()) -> tuple[str, ...]:
        """Scopes in, the subscriptions in them out. Raises Absent, Refused, Terminal and Transient."""
        return await management.subscriptions(self.arm, scopes)

    async def tenant(self, subscription: str) -> str:
        """A subscription in, the id of its tenant out, "" where that is not shown. Raises Transient."""
        return await management.tenant(self.arm, subscription)

    async def survey(
        self, subscriptions: Sequence[str], needs: Callable[[Estate], Needs]
    ) -> AsyncIterator[Seen | Sheet | Rest | Cut]:
        """Reads the networks of subscriptions from Resource Graph. Raises Transient."""
        async for part in self._surveyor.survey(subscriptions, needs):
            yield part

    async def close(self) -> None:
        await self.arm.close()


def connect(
    clock: Clock,
    *,
    arm_endpoint: str | None = None,
    cloud: str = "public",
    ca_bundle: str | None = None,
    transport: AsyncHttpTransport[HttpRequest, AsyncHttpResponse] | None = None,
    credential: AsyncTokenCredential | None = None,
    tuning: Tuning = TUNING,
    keep_clusters: float = 10.0,
) -> AzureCloud:
    """The settings ARM_ENDPOINT, CLOUD and CA_BUNDLE in, the Cloud out; ValueError says what is wrong with them."""
    where = endpoint(arm_endpoint, cloud)
    arm = Arm(where, clock, ca_bundle=ca_bundle, transport=transport, credential=credential, tuning=tuning)
    return AzureCloud(arm, keep_clusters=keep_clusters)
