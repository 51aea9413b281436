"""Flagger's webhooks. To Flagger a status up to 202 is a yes and everything else a no.

Each hook carries the question of /v1/verdict as JSON text in `metadata.request`. A no is a 409:
Flagger retries 5xx and 429, and throws their text away.
"""

import logging
from collections.abc import Awaitable

from fastapi import APIRouter, Response
from pydantic import BaseModel, ValidationError

from plugin.api.errors import RESPONSES, QuestionError
from plugin.api.verdict import Record
from plugin.judge import Judge, Judgement, flagger
from plugin.judge.begin import may_begin
from plugin.judge.deadline import in_time
from plugin.problem import first_problem
from plugin.question import Question
from plugin.verdict import Reason, Verdict

_log = logging.getLogger(__name__)
_NO = 409
_DATA_FAULTS = (Reason.CONFIG_ERROR, Reason.QUERY_ERROR)


class Hook(BaseModel):
    """Flagger's payload; it may grow, so unknown keys are ignored."""

    name: str
    namespace: str
    phase: str
    checksum: str = ""
    metadata: dict[str, str] = {}

    @property
    def question(self) -> Question:
        """Raises QuestionError, naming the field."""
        text = self.metadata.get("request", "")
        if not text.strip():
            raise QuestionError("metadata.request", "put the question into metadata.request")
        try:
            return Question.model_validate_json(text)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False)
            raise QuestionError(*first_problem(problems, ("metadata", "request"))) from None


class HookAnswer(BaseModel):
    """Yes or no is the status; this is the reason."""

    why: str


def router(judge: Judge, record: Record) -> APIRouter:
    no = {_NO: {"model": HookAnswer, "description": "No, and why"}}
    routes = APIRouter(prefix="/v1/flagger", responses=RESPONSES | no)

    async def judged(question: Question, work: Awaitable[Judgement]) -> Judgement:
        judgement = await in_time(judge, question, work)
        record(judgement)
        return judgement

    def answer(yes: bool, judgement: Judgement, response: Response) -> HookAnswer:
        response.status_code = 200 if yes else _NO
        return HookAnswer(why=judgement.why)

    @routes.post("/rollback")
    async def rollback(hook: Hook, response: Response) -> HookAnswer:
        """Yes rolls back at once, so: only on a verdict of fail."""
        question = hook.question
        judgement = await judged(question, flagger.stage(judge, question))
        return answer(judgement.reason.verdict is Verdict.FAIL, judgement, response)

    @routes.post("/confirm-traffic-increase")
    async def confirm_traffic_increase(hook: Hook, response: Response) -> HookAnswer:
        """Yes once the stage has passed; before the first stage, if the release may begin."""
        question = hook.question
        judgement = await judged(question, flagger.advance(judge, question))
        return answer(judgement.reason.verdict is Verdict.PASS, judgement, response)

    @routes.post("/confirm-promotion")
    async def confirm_promotion(hook: Hook, response: Response) -> HookAnswer:
        """Yes on a verdict of pass: this is the last gate, for every strategy."""
        question = hook.question
        judgement = await judged(question, flagger.stage(judge, question))
        return answer(judgement.reason.verdict is Verdict.PASS, judgement, response)

    @routes.post("/confirm-rollout")
    async def confirm_rollout(hook: Hook, response: Response) -> HookAnswer:
        """Yes unless a release window is closed or a spent error budget freezes releases."""
        question = hook.question
        judgement = await judged(question, may_begin(judge, question))
        return answer(judgement.reason.verdict is Verdict.PASS, judgement, response)

    @routes.post("/rollout")
    async def rollout(hook: Hook, response: Response) -> HookAnswer:
        """No while Prometheus cannot answer: of all hooks only this one's no becomes an event.

        It halts the release and counts as a failed check, so the Canary's threshold has to be as
        high as an outage may last; the verdict itself acts through the other hooks.
        """
        question = hook.question
        judgement = await in_time(judge, question, judge.judge(question))
        return answer(judgement.reason not in _DATA_FAULTS, judgement, response)

    @routes.post("/event")
    async def event(hook: Hook) -> HookAnswer:
        """Keeps Flagger's events in the log, beside the verdicts that led to them."""
        _log.info("flagger event", extra={"fields": hook.model_dump(exclude={"checksum"})})
        return HookAnswer(why="logged")

    return routes
