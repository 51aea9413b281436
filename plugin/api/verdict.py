"""The verdict itself, and its route for Argo Rollouts."""

import logging
from collections import deque

from fastapi import APIRouter, Depends, Response

from plugin.api.answers import ErrorAnswer, VerdictAnswer
from plugin.api.errors import RESPONSES
from plugin.api.metrics import Metrics
from plugin.api.token import Token
from plugin.judge import Judge, Judgement
from plugin.judge.begin import may_begin
from plugin.judge.deadline import in_time
from plugin.question import Question

_log = logging.getLogger(__name__)
_REMEMBERED_QUERIES = 1000


class Record:
    """Writes every judgement to the log and the metrics: the rollback hook has no other voice."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._queries: deque[str] = deque(maxlen=_REMEMBERED_QUERIES)

    def __call__(self, judgement: Judgement) -> VerdictAnswer:
        namespace = judgement.question.namespace
        query, answer = judgement.query, VerdictAnswer.of(judgement)
        self._metrics.judged(namespace, answer)
        if query and query.digest not in self._queries:
            self._queries.append(query.digest)
            _log.info("query", extra={"fields": {"query": query.digest, "text": query.text}})
        fields = answer.model_dump(mode="json", exclude_none=True)
        _log.info("verdict", extra={"fields": {"namespace": namespace, **fields}})
        return answer


def router(judge: Judge, record: Record, token: Token) -> APIRouter:
    unauthorized = {401: {"model": ErrorAnswer, "description": "The judge's token is missing"}}
    routes = APIRouter(dependencies=[Depends(token)], responses=RESPONSES | unauthorized)

    @routes.post("/v1/verdict", response_model=VerdictAnswer)
    async def verdict(question: Question) -> Response:
        """Judge a release now; at weight 0, say whether it may begin.

        200 for every decision, also for "cannot decide yet".
        """
        before_traffic = question.stage.weight == 0
        work = may_begin(judge, question) if before_traffic else judge.judge(question)
        answer = record(await in_time(judge, question, work))
        return Response(answer.stored(), media_type="application/json")

    return routes
