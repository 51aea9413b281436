"""The mathematics of a verdict: evidence, what it is held against, how long it takes. Pure."""
