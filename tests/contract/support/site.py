"""A stack's choices, for tests of what is made of a service alone."""

from components.spec.site import Site

SITE = Site.model_validate(
    {
        "controller": "argo",
        "namespace": "shop",
        "domain": "local",
        "gateway": "istio-system/ingress",
        "analysisInterval": "30s",
        "stages": [{"weight": 10, "time": "5m"}],
    }
)
