"""The complete sandbox, and on it the platform: once for all contract tests of a process."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from components.manifests import platform
from sandbox import cluster, lifecycle
from sandbox.layout import Layout
from tests.contract.support import history
from tests.contract.support import judge as deployment
from tests.contract.support.history import History
from tests.contract.support.prometheus import prometheus
from tests.contract.support.system import Objects, System, until


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """Everything that `sluice sandbox up` starts, from nothing, beside the demo's own sandbox.

    Its folder stays behind for whoever reads the logs; the next run deletes it.
    """
    layout = Layout(instance=f"test{os.environ.get('PYTEST_XDIST_WORKER', '')}")
    lifecycle.down(layout, print)
    shutil.rmtree(layout.sandbox)
    try:
        yield System(layout, lifecycle.up(layout, print))
    finally:
        lifecycle.down(layout, print)


@pytest.fixture(scope="session")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus of its own that tests write their history into; its URL."""
    with prometheus(tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@pytest.fixture
def past(scraped: str, request: pytest.FixtureRequest) -> History:
    """Nothing has been scraped yet in this test's own namespace."""
    return History(scraped, history.namespace_of(request.node.name))


@pytest.fixture(scope="session")
def api_server(system: System) -> Path:
    """The kubeconfig of a complete API server."""
    return system.layout.kubeconfig


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def objects(system: System) -> Objects:
    return Objects(await cluster.connect(system.layout.kubeconfig))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def judge(system: System, objects: Objects) -> None:
    """The judge as its component deploys it, answering under its in-cluster name."""
    await objects.apply(*platform.namespaces("shop"))
    await deployment.declare(objects)
    await deployment.rolled_out(objects)
    await until(system.judge_answers, bool, "the judge answers under its in-cluster name")
