"""Service level indicators: how each objective becomes (bad, total) counts in Prometheus."""

from plugin.indicators.build import indicator
from plugin.indicators.indicator import Counted, Indicator, Source
from plugin.indicators.presets import PRESETS, Histograms, Metrics, Preset
from plugin.indicators.schemes import Arm, Field, Reporter, Scheme, by_labels, scheme_of

__all__ = [
    "PRESETS",
    "Arm",
    "Counted",
    "Field",
    "Histograms",
    "Indicator",
    "Metrics",
    "Preset",
    "Reporter",
    "Scheme",
    "Source",
    "by_labels",
    "indicator",
    "scheme_of",
]
