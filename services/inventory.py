"""Knows what is in stock. A dependency of the other two; updated in place."""

import pulumi

from components.service import Service


def declare(opts: pulumi.ResourceOptions) -> Service:
    """Declare the service on this stack."""
    return Service(
        "inventory",
        {
            "image": "sluice/demo-app:1.0.0",
            "strategy": "rolling",
        },
        opts,
    )
