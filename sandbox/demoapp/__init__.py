"""The demo app: a tiny HTTP service whose behaviour is set by environment, as a release would."""
