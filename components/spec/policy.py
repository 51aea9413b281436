"""How strict the judge is with a service's releases, and which of them it lets begin."""

from typing import Any

from pydantic import Field

from components.spec.stages import Stages
from plugin.policy import OnUndecided, Policy

_WARM_UP_LOOKS = 2
_WARM_UP_SHARE = 5


class ReleasePolicy(Policy):
    """The judge's policy, and the one release that need not wait for it to begin."""

    fix: str | None = Field(
        default=None,
        description="the image tag of the release that may begin although the error budget is "
        'spent or the window is closed, such as "1.8.1"',
    )

    def gated(self, release: str) -> bool:
        """Whether this release (its image's tag) may have to wait before its first traffic."""
        return (self.freeze or bool(self.windows)) and self.fix != release

    @property
    def decides_at_the_deadline(self) -> bool:
        """Whether a stage that had its time is promoted or aborted, and not held."""
        return self.on_undecided is not OnUndecided.HOLD

    def asked(self, release: str, stages: Stages, analysis_interval: int) -> dict[str, Any]:
        """What the judge is told: what the service sets, and what follows from its stages.

        The warm-up is two looks long, as a stack that looks often also wants to know early, and at
        most a fifth of the first stage. A fix is told to begin by leaving the gates out.
        """
        seconds = min(_WARM_UP_LOOKS * analysis_interval, stages[0].time // _WARM_UP_SHARE)
        gates = set() if self.gated(release) else {"freeze", "windows"}
        own = self.model_dump(mode="json", exclude_unset=True, exclude={"fix"} | gates)
        return {"warm_up": f"{seconds}s"} | own
