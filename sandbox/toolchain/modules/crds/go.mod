module sluice.local/tools/crds

go 1.26.0

// Read for the CRDs they carry, never built: see crds.py.
require (
	github.com/kedacore/keda/v2 v2.21.0
	github.com/prometheus-operator/prometheus-operator v0.85.0
	istio.io/api v1.31.1
)
