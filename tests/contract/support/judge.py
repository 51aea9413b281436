"""The judge as its component deploys it."""

from components import conventions
from components.manifests import platform
from sandbox.prometheus import SCRAPE_SECONDS
from tests.contract.support.system import DEPLOYMENT, POD, Object, Objects, until

PROMETHEUS_URL = "http://prometheus.monitoring.svc"  # as in Pulumi.local.yaml
NAMESPACE = conventions.PLATFORM_NAMESPACE


async def declare(objects: Objects, token_secret: str | None = None) -> None:
    """Declare it, with the Secret of this name as its tokens."""
    image = "sluice/judge:0.1.0"
    made = platform.judge(image, PROMETHEUS_URL, SCRAPE_SECONDS, token_secret=token_secret)
    await objects.apply(*made)


async def rolled_out(objects: Objects) -> list[Object]:
    """Its pods, once all are ready and as declared last."""

    async def deployment() -> Object:
        return await objects.get(DEPLOYMENT, NAMESPACE, conventions.JUDGE)

    await until(deployment, _up_to_date, "all replicas of the judge are ready")
    replicas = (await deployment())["spec"]["replicas"]
    return await until(
        lambda: pods(objects), lambda found: len(found) == replicas, "the judge's old pods end"
    )


async def pods(objects: Objects) -> list[Object]:
    """Its pods, also those that are starting or ending."""
    return await objects.list(POD, NAMESPACE, **{conventions.APP: conventions.JUDGE})


def _up_to_date(deployment: Object) -> bool:
    status, replicas = deployment.get("status", {}), deployment["spec"]["replicas"]
    counts = [status.get(key) for key in ("replicas", "updatedReplicas", "readyReplicas")]
    observed = status.get("observedGeneration") == deployment["metadata"]["generation"]
    return observed and counts == [replicas] * 3
