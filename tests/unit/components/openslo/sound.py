"""An SLO that is accepted as it is, to be changed."""

from typing import Any


def source(query: str, **more: Any) -> dict[str, Any]:
    return {"metricSource": {"type": "Prometheus", "spec": {"query": query}} | more}


SOUND: dict[str, Any] = {
    "apiVersion": "openslo/v1",
    "kind": "SLO",
    "metadata": {"name": "orders"},
    "spec": {
        "service": "checkout",
        "indicator": {
            "spec": {
                "ratioMetric": {
                    "counter": True,
                    "good": source('orders_total{ok="1"}'),
                    "total": source("orders_total"),
                }
            }
        },
        "timeWindow": [{"duration": "30d", "isRolling": True}],
        "budgetingMethod": "Occurrences",
        "objectives": [{"target": 0.99}],
    },
}
