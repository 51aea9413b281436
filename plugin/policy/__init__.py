"""How strict the judge is with a release, and when one may begin."""

from plugin.policy.policy import LONGEST_LOOKBACK, OnUndecided, Policy

__all__ = ["LONGEST_LOOKBACK", "OnUndecided", "Policy"]
