"""What a judge needs of Prometheus."""

from typing import Protocol

from plugin.prometheus import Sample, Series
from plugin.promql.query import Query


class Source(Protocol):
    """Where counts come from: Prometheus, or a stand-in in tests.

    Both raise `plugin.prometheus.QueryError` or `ConfigError`.
    """

    async def query_range(self, query: Query) -> list[Series]: ...

    async def query(self, text: str) -> list[Sample]: ...
