"""The CRDs of Argo Rollouts, Flagger, Istio, Prometheus Operator and KEDA.

Read from the pinned Go modules when the sandbox is built; no upstream file is kept in the
repository.
"""

import shutil
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.layout import Layout
from sandbox.toolchain import go

# (folder of modules/, Go module, files inside it)
SOURCES = (
    ("argo-rollouts", "github.com/argoproj/argo-rollouts", "manifests/crds/*-crd.yaml"),
    ("flagger", "github.com/fluxcd/flagger", "artifacts/flagger/crd.yaml"),
    ("crds", "istio.io/api", "kubernetes/customresourcedefinitions.gen.yaml"),
    (
        "crds",
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd/*.yaml",
    ),
    ("crds", "github.com/kedacore/keda/v2", "config/crd/bases/*.yaml"),
)


def collect(layout: Layout, modules: Path, pins: str) -> None:
    """Copy the CRD files into the clone's ignored folder, unless those pins are there already."""
    stamp = layout.crds / "collected"
    if stamp.exists() and stamp.read_text() == pins:
        return
    shutil.rmtree(layout.crds, ignore_errors=True)
    layout.crds.mkdir(parents=True)
    for folder, module, pattern in SOURCES:
        files = sorted(go.module_folder(layout, modules / folder, module).glob(pattern))
        if not files:
            raise SandboxError(f"The pinned version of {module} has no CRDs at {pattern}.")
        name = module.removesuffix("/v2").rpartition("/")[2]
        for file in files:
            shutil.copyfile(file, layout.crds / f"{name}-{file.name.removeprefix('-')}")
    stamp.write_text(pins)
