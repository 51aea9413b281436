"""Charges cards. Released by Flagger."""

import pulumi

from components.service import Service


def declare(opts: pulumi.ResourceOptions) -> Service:
    """Declare the service on this stack."""
    return Service(
        "payments",
        {
            "image": "sluice/demo-app:1.0.0",
            "controller": "flagger",
            "slo": {
                "availability": 99.0,
                "latency": {"percentile": 95, "threshold": "250ms"},
            },
            "env": {"INVENTORY_URL": "http://inventory.shop.svc"},
        },
        opts,
    )
