"""The judge: turns a service level objective and Prometheus counts into a verdict on a release."""
