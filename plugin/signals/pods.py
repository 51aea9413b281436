"""PromQL about an arm's pods, from the metrics of the kubelet's cAdvisor and kube-state-metrics.

Both know pods and not versions. Which pods are an arm's say `kube_pod_labels`, where
kube-state-metrics is allowed to show the labels, or else the pods' own scrape targets, where
Prometheus gives them. Kubernetes' own names would not do: the pods of an Argo Rollout's two
versions are named after the same Rollout.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from plugin.promql.matchers import Matcher, selector
from plugin.promql.query import REPLICAS, counted

_POD, _CONTAINER = "namespace, pod", "namespace, pod, container"
_RESTARTS = "kube_pod_container_status_restarts_total"
"""It is there for every container that kube-state-metrics knows."""
_RATE_SECONDS = 120
"""The window of a rate, at least: cAdvisor is scraped every 30 s at the most, and often less."""
_HELD_SECONDS = 90
"""How long a gauge's sample is one of now: less than it takes to fail, so that never one does."""
_WAITING = "2m"
"""The same of what kube-state-metrics says; it too may be scraped every minute."""
_RECENT = "10m"
"""How long ago a crash loop of stable's counts as one of now."""
_NOW = " @ end()"
"""At the end of the question: what an attempt before this one did is not asked for."""
_PREFIX = 40
"""Pods are named after their workload; Kubernetes shortens long names. So these are asked for, and
the labels tell which of them are meant."""


@dataclass(frozen=True)
class Pods:
    """The pods of one arm.

    `labelled` are the arm's conditions as (pod label, operator, value). `targets` says whether the
    application's scrape targets carry the same labels beside `namespace` and `pod`.
    """

    namespace: str
    workload: str
    labelled: Sequence[tuple[str, str, str]]
    targets: bool = True

    def known(self, at: str = "") -> str:
        """One series per pod, with the labels `namespace` and `pod` and the value 1."""
        namespace = Matcher("namespace", "=", self.namespace)
        state = [Matcher(f"label_{label}", *condition) for label, *condition in self.labelled]
        found = f"{selector('kube_pod_labels', (namespace, *state))}{at}"
        if self.targets:
            own = [Matcher(label, *condition) for label, *condition in self.labelled]
            pod = Matcher("pod", "!=", "")
            found += f" or {selector('up', (namespace, pod, *own))}{at}"
        # Kubernetes keeps the objects of pods that are over for a while.
        over = (namespace, self._named(), Matcher("phase", "=~", "Failed|Succeeded"))
        ended = f"{selector('kube_pod_status_phase', over)}{at} == 1"
        # An attempt that was given up may take minutes to end, beside the pods of the next one.
        deleted = f"{selector('kube_pod_deletion_timestamp', (namespace,))}{at}"
        return f"group by ({_POD}) (({found}) unless on ({_POD}) ({ended} or {deleted}))"

    def count(self) -> str:
        """How many there are."""
        return f"count({self.known()})"

    def throttled(self, step: int) -> str:
        """Throttled CPU periods of all in `step` seconds or in two minutes, if that is more, as a
        fraction; 0 without a CPU limit.
        """
        window = max(_RATE_SECONDS, step)
        throttled, periods = (
            f"sum({self._own(f'rate({self._containers(metric)}[{window}s])')})"
            for metric in (
                "container_cpu_cfs_throttled_periods_total",
                "container_cpu_cfs_periods_total",
            )
        )
        return f"({throttled} / {periods} >= 0 or {self._measured()})"

    def memory(self, step: int, of: Literal["last", "min", "max"]) -> str:
        """The fullest container's working set, as a fraction of its limit; 0 without a limit.

        It is the last one, or the extreme one of `step` seconds or more.

        That there is none is known of a pod of which kube-state-metrics or cAdvisor tells limits.
        Of others a container's share is infinite, which is no value.
        """
        used = self._working_set(max(_HELD_SECONDS, step), of)
        state = self._containers("kube_pod_container_resource_limits", ("resource", "=", "memory"))
        spec = self._containers("container_spec_memory_limit_bytes")
        limit = f"(max by ({_CONTAINER}) ({state}) or max by ({_CONTAINER}) ({spec} > 0))"
        told = f"group by ({_POD}) ({self._containers(_RESTARTS)} or {spec})"
        share = f"{used} / on ({_CONTAINER}) {limit}"
        unlimited = f"0 * ({used} and on ({_POD}) {told})"
        return f"max({self._own(f'({share} or {unlimited} or {used} / 0)')})"

    def restarts(self) -> str:
        """Restarts of the container with the most; 0 too, where there are containers."""
        return f"max({self._own(self._state('restarts_total'), _NOW)})"

    def restarted(self, step: int, *, of_now: bool) -> str:
        """How often each container was restarted in the last `step` seconds.

        With `of_now` only containers that are there at the end of the question.
        """
        return self._own(self._restarts(step), _NOW if of_now else "")

    def oom_killed(self) -> str:
        """How many containers ran out of memory, also long ago; none is left out."""
        killed = f"({self._out_of_memory('last_terminated_reason', _NOW)} or "
        killed += f"{self._out_of_memory('terminated_reason', _NOW)})"
        return f"count({self._own(killed, _NOW)}) > 0"

    def oom_kills(self, step: int, *, of_now: bool) -> str:
        """The same of restarts for want of memory; and the containers that wait for one."""
        again = f"{self._restarts(step)} and on ({_CONTAINER}) "
        again += self._out_of_memory("last_terminated_reason")
        kills = f"({again} or {self._out_of_memory('terminated_reason')})"
        return self._own(kills, _NOW if of_now else "")

    def crash_loop(self, *, recently: bool) -> str:
        """How many containers wait to be started again after a crash; none is left out.

        With `recently` also those that waited in the last minutes. The series ends with the wait.
        Without the mark of its end, as Prometheus leaves none when it goes away itself, the last
        sample would hold for five minutes.
        """
        series = self._containers(
            "kube_pod_container_status_waiting_reason", ("reason", "=", "CrashLoopBackOff")
        )
        waiting = f"({series}{_NOW} and last_over_time({series}[{_WAITING}]{_NOW}))"
        if recently:
            waiting = f"(max_over_time({series}[{_RECENT}]{_NOW}))"
        return f"count({self._own(f'(max by ({_CONTAINER}) {waiting} > 0)', _NOW)}) > 0"

    def _own(self, values: str, at: str = "") -> str:
        """The values of these pods only."""
        return f"{values} * on ({_POD}) group_left () {self.known(at)}"

    def _containers(self, metric: str, *more: tuple[str, str, str]) -> str:
        """Series of containers; without the pod's sums and the container that holds its network."""
        conditions = (
            ("container", "!=", ""),
            ("container", "!=", "POD"),
            *more,
        )
        own = (Matcher("namespace", "=", self.namespace), self._named())
        return selector(metric, (*own, *(Matcher(*each) for each in conditions)))

    def _named(self) -> Matcher:
        """The condition of pods of this workload, and of some others."""
        return Matcher("pod", "=~", f"{re.escape(self.workload[:_PREFIX])}.+")

    def _state(self, what: str, *more: tuple[str, str, str]) -> str:
        """What kube-state-metrics says of the containers at the end of the question."""
        series = self._containers(f"kube_pod_container_status_{what}", *more)
        return f"max by ({_CONTAINER}) ({series}{_NOW})"

    def _out_of_memory(self, what: str, at: str = "") -> str:
        """The containers that it gives this reason for."""
        reason = ("reason", "=", "OOMKilled")
        series = self._containers(f"kube_pod_container_status_{what}", reason)
        return f"(max by ({_CONTAINER}) ({series}{at}) > 0)"

    def _restarts(self, step: int) -> str:
        """Restarts per container in the last `step` seconds.

        Another kube-state-metrics goes on with what the one before it counted.
        """
        return counted([self._containers(_RESTARTS)], step, replicas=(*REPLICAS, "instance"))

    def _working_set(self, seconds: int = _HELD_SECONDS, of: str = "last") -> str:
        series = self._containers("container_memory_working_set_bytes")
        return f"max by ({_CONTAINER}) ({of}_over_time({series}[{seconds}s]))"

    def _measured(self) -> str:
        """0 where cAdvisor knows the containers."""
        return f"0 * max({self._own(self._working_set())})"
