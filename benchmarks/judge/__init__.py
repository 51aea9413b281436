"""How fast and how large the judge is, beside the Prometheus that it asks: `make bench-judge`."""
