"""What tests of several trees share: one synthesized template for all of them, made once a session."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from modelwright.client.deploys.synth import bundled_node, ensure_assembly

PROJECT = Path(__file__).resolve().parents[1]
LINKED = ("app.py", "cdk.json", "stacks", "lambdas", "environments", "training_code")


os.environ["JSII_NODE"] = str(bundled_node())  # for tests that import stacks/: nothing global is used
# No test asserts a duration, and neither does Hypothesis: on a busy machine its 200 ms an example are soon gone.
settings.register_profile("modelwright", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("modelwright")


@pytest.fixture(scope="session")
def project_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with links to the real project, so that no test writes into it; the same one for all xdist workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "project"
    folder.mkdir(exist_ok=True)
    for name in LINKED:
        link = folder / name
        try:
            link.symlink_to(PROJECT / name)
        except FileExistsError:
            continue  # another worker made it
    return folder


@pytest.fixture(scope="session")
def assembly(project_copy: Path) -> Path:
    """The `cdk.out` of the real project for the environment `dev`; whoever comes first makes it, the others wait."""
    return ensure_assembly(project_copy, "dev")
