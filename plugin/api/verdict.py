"""The verdict itself, and its route for Argo Rollouts."""

import logging
from collections import deque

from fastapi import APIRouter

from plugin.api.answers import ErrorAnswer, VerdictAnswer
from plugin.api.metrics import Metrics
from plugin.judge import Judge, Judgement
from plugin.question import Question

_log = logging.getLogger(__name__)
_REMEMBERED_QUERIES = 1000


class Record:
    """Writes every judgement to the log and the metrics: the rollback hook has no other voice."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._queries: deque[str] = deque(maxlen=_REMEMBERED_QUERIES)

    def __call__(self, judgement: Judgement) -> VerdictAnswer:
        self._metrics.judged(judgement)
        query, answer = judgement.query, VerdictAnswer.of(judgement)
        if query.digest not in self._queries:
            self._queries.append(query.digest)
            _log.info("query", extra={"fields": {"query": query.digest, "text": query.text}})
        fields = answer.model_dump(mode="json")
        namespace = judgement.question.namespace
        _log.info("verdict", extra={"fields": {"namespace": namespace, **fields}})
        return answer


def router(judge: Judge, record: Record) -> APIRouter:
    routes = APIRouter(responses={422: {"model": ErrorAnswer}})

    @routes.post("/v1/verdict")
    async def verdict(question: Question) -> VerdictAnswer:
        """Judge a release now. 200 for every decision, also for "cannot decide yet"."""
        return record(await judge.judge(question))

    return routes
