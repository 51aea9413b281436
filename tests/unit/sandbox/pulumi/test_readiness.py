"""An object counts as ready when the real provider would go on."""

import pytest

from sandbox.pulumi import readiness

READY = {
    "metadata": {"generation": 2},
    "spec": {"replicas": 2},
    "status": {
        "observedGeneration": 2,
        "replicas": 2,
        "updatedReplicas": 2,
        "availableReplicas": 2,
    },
}


def deployment(**status):
    return {**READY, "status": {**READY["status"], **status}}


def test_a_rolled_out_deployment_is_ready():
    assert readiness.deployment(READY) is None


@pytest.mark.parametrize(
    ("status", "missing"),
    [
        ({"observedGeneration": 1}, "has not seen the change"),
        ({"availableReplicas": 1}, "1 of 2 replicas are updated and available"),
        ({"updatedReplicas": 0}, "0 of 2"),
        ({"replicas": 3}, "1 replicas of the old template still run"),
        (
            {
                "conditions": [
                    {
                        "type": "Progressing",
                        "reason": "ProgressDeadlineExceeded",
                        "message": 'ReplicaSet "web-1" has timed out progressing.',
                    }
                ]
            },
            "timed out progressing",
        ),
    ],
)
def test_a_deployment_that_is_not_rolled_out_says_why(status, missing):
    assert missing in str(readiness.deployment(deployment(**status)))


def test_a_deployment_scaled_to_zero_is_ready():
    """Flagger keeps its target at zero between releases."""
    target = {**READY, "spec": {"replicas": 0}, "status": {"observedGeneration": 2}}
    assert readiness.deployment(target) is None


def test_a_paused_deployment_is_not_waited_for():
    paused = {**deployment(updatedReplicas=0), "spec": {"replicas": 2, "paused": True}}
    assert readiness.deployment(paused) is None


def slices(*ready):
    return [{"endpoints": [{"conditions": {"ready": one}} for one in ready]}]


SERVICE = {"spec": {"selector": {"app": "web"}, "type": "ClusterIP"}}


def test_a_service_needs_pods_and_all_of_them_ready():
    assert readiness.service(SERVICE, slices(True, True)) is None
    assert "no ready pod" in str(readiness.service(SERVICE, []))
    assert "no ready pod" in str(readiness.service(SERVICE, [{"endpoints": None}]))
    assert "1 of 2 pods" in str(readiness.service(SERVICE, slices(True, False)))


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "ClusterIP"},
        {"selector": {"app": "a"}, "clusterIP": "None"},
        {"selector": {"app": "a"}, "type": "ExternalName"},
    ],
)
def test_a_service_without_an_address_of_its_own_needs_no_pods(spec):
    assert readiness.service({"spec": spec}, []) is None


def test_a_load_balancer_needs_an_address():
    balancer = {"spec": {**SERVICE["spec"], "type": "LoadBalancer"}}
    assert "load balancer" in str(readiness.service(balancer, slices(True)))
    addressed = {**balancer, "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}
    assert readiness.service(addressed, slices(True)) is None


def test_a_definition_is_ready_when_its_kind_is_served():
    """A custom resource of the same `up` comes next."""
    assert readiness.definition({}) is not None
    established = {"status": {"conditions": [{"type": "Established", "status": "True"}]}}
    assert readiness.definition(established) is None


def test_pods_say_why_they_do_not_start():
    """This is what a person needs instead of a bare timeout."""
    crashing = {
        "status": {
            "containerStatuses": [
                {
                    "name": "app",
                    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}},
                }
            ]
        }
    }
    starting = {
        "status": {
            "containerStatuses": [
                {"name": "app", "state": {"waiting": {"reason": "ContainerCreating"}}}
            ],
            "conditions": [{"type": "PodScheduled", "status": "False", "message": "no node"}],
        }
    }
    assert readiness.pod_troubles([crashing, crashing, starting, {}]) == [
        "container app: CrashLoopBackOff: back-off 10s",
        "not scheduled: no node",
    ]
