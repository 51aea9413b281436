"""The ports of the sandbox's own parts: those they have on a cluster.

The mesh's are in mesh/names.py, the kubelet's in layout.py.
"""

ETCD, ETCD_PEER = 2379, 2380
APISERVER = 6443
PROMETHEUS = 9090
ARGO_METRICS, ARGO_HEALTH = 8090, 8080
FLAGGER = 8080
KUBE_STATE_METRICS, KUBE_STATE_METRICS_SELF = 8080, 8081
