"""What is built: one folder of `modules/` (go.mod, go.sum) per tool, and how it is linked."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Edit:
    """One text replaced in one upstream file, in a copy of the module that is then built."""

    module: str
    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Tool:
    """`packages` maps the binary's name to its Go package; `variables` are linker settings
    (-X); `minutes` is a cold build's duration on two cores, for the progress line.
    `loopback` makes a server that always binds every interface bind loopback instead.
    """

    module: str
    packages: dict[str, str]
    minutes: int
    variables: dict[str, str] = field(default_factory=dict)
    loopback: Edit | None = None


KUBERNETES_VERSION = "v1.35.4"
PULUMI_VERSION = "v3.259.0"

TOOLS = (
    Tool(
        "kubernetes",
        {
            "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
            "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        },
        minutes=6,
        # Without a version the API server reports a template text, which Flagger refuses.
        variables={
            "k8s.io/component-base/version.gitVersion": KUBERNETES_VERSION,
            "k8s.io/component-base/version.gitMajor": "1",
            "k8s.io/component-base/version.gitMinor": "35",
        },
    ),
    Tool("etcd", {"etcd": "go.etcd.io/etcd/server/v3"}, minutes=1),
    Tool(
        "argo-rollouts",
        {"rollouts-controller": "github.com/argoproj/argo-rollouts/cmd/rollouts-controller"},
        minutes=4,
        loopback=Edit(
            module="github.com/argoproj/argo-rollouts",
            file="controller/controller.go",
            old='\tlistenAddr                         = "0.0.0.0:%d"\n)',
            new=')\n\nvar listenAddr = os.Getenv("LISTEN_HOST") + ":%d"',
        ),
    ),
    Tool(
        "pulumi",
        {"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
        minutes=4,
        variables={"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": PULUMI_VERSION},
    ),
    Tool("istio", {"pilot-discovery": "istio.io/istio/pilot/cmd/pilot-discovery"}, minutes=4),
    Tool(
        "prometheus",
        {
            "prometheus": "github.com/prometheus/prometheus/cmd/prometheus",
            "promtool": "github.com/prometheus/prometheus/cmd/promtool",
        },
        minutes=5,
    ),
    Tool(
        "flagger",
        {"flagger": "github.com/fluxcd/flagger/cmd/flagger"},
        minutes=2,
        loopback=Edit(
            module="github.com/fluxcd/flagger",
            file="pkg/server/server.go",
            old='":" + port',
            new="port",
        ),
    ),
    Tool(
        "kube-state-metrics",
        {"kube-state-metrics": "k8s.io/kube-state-metrics/v2"},
        minutes=2,
    ),
)
