"""Takes orders. Released by Argo Rollouts."""

import pulumi

from components.service import Service


def declare(opts: pulumi.ResourceOptions) -> Service:
    """Declare the service on this stack."""
    return Service(
        "checkout",
        {
            "image": "sluice/demo-app:1.0.0",
            "controller": "argo",
            "slo": {
                "availability": 99.0,
                "latency": {"percentile": 95, "threshold": "250ms"},
            },
            "env": {"INVENTORY_URL": "http://inventory.shop.svc"},
        },
        opts,
    )
