"""What a person does to a release by hand, by either controller: patches of its status.

Those of Argo are what `kubectl argo rollouts` sends. Flagger has no commands, but takes the phase
that it finds for its own.
"""

from collections.abc import Callable

from tests.contract.support.service import Service
from tests.contract.support.system import Object, until


async def promote(argo: Service) -> None:
    """`kubectl argo rollouts promote`, during an analysis: on to the next step."""
    step = (await argo.rollout())["status"]["currentStepIndex"]
    await argo.set_status(pauseConditions=None, currentStepIndex=step + 1)


async def abort(service: Service) -> None:
    """Done when the controller has taken it up."""
    if service.controller == "argo":
        await service.set_status(abort=True)
        await until(service.rollout, _phase("Degraded"), f"Argo aborts {service.name}")
        return
    await service.set_status(phase="Failed")
    patched = (await service.canary())["status"]
    looked = await until(
        service.canary,
        lambda found: found["status"]["lastTransitionTime"] != patched["lastTransitionTime"],
        f"Flagger has looked at {service.name}",
    )
    assert _phase("Failed")(looked)


async def retry(service: Service) -> None:
    if service.controller == "argo":
        await service.set_status(abort=False)
    else:
        await service.set_status(phase="Waiting")


def _phase(phase: str) -> Callable[[Object], bool]:
    return lambda found: found["status"].get("phase") == phase
