"""The sandbox: a real control plane, mesh, controllers and Prometheus as local processes."""
