"""All validators over one environment's template."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from modelwright.client.checks.authorizations import check_authorizations
from modelwright.client.checks.checkov import check_checkov
from modelwright.client.checks.history import check_history
from modelwright.client.checks.lifetimes import check_lifetimes
from modelwright.client.checks.lint import check_lint
from modelwright.client.checks.parliament import check_parliament
from modelwright.client.checks.payloads import check_payloads
from modelwright.client.checks.policies import check_policies
from modelwright.client.checks.programs import ensure_environment
from modelwright.client.checks.quotas import check_quotas
from modelwright.client.checks.repeatability import check_repeatability
from modelwright.client.checks.report import Collector
from modelwright.client.checks.requests import check_requests
from modelwright.client.checks.settings_inside import check_settings_inside
from modelwright.client.checks.templates import read_templates
from modelwright.client.deploys.synth import ensure_assembly
from modelwright.config import load_project

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from modelwright.client.checks.report import CheckReport


def run_checks(root: Path, env: str) -> CheckReport:
    """Run every validator on the templates of `env`: about 10 s, two at a time. docs/checks.md lists them.

    Raises `SettingsError` or `SynthFailed` when there is no template, and `ChecksUnavailable` when a validator cannot
    run: a check that did not run is never a check that passed.
    """
    assembly = ensure_assembly(root, env)
    settings = load_project(root, env).environment
    templates = read_templates(assembly)
    python = ensure_environment(root)
    collector = Collector()
    with tempfile.TemporaryDirectory(prefix="modelwright-checks-") as folder:
        temporary = Path(folder)
        checks: list[Callable[[Collector], None]] = [
            partial(check_policies, root, env, temporary / "policies"),
            partial(check_checkov, python, templates),
            partial(check_parliament, python, templates),
            partial(check_authorizations, templates),
            partial(check_lint, templates),
            partial(check_repeatability, root, env, temporary),
            partial(check_requests, templates),
            partial(check_history, templates),
            partial(check_payloads, templates),
            partial(check_settings_inside, templates, settings),
            partial(check_quotas, templates),
            partial(check_lifetimes, templates, settings),
        ]
        _run(checks, collector)
    return collector.report()


def _run(checks: Sequence[Callable[[Collector], None]], collector: Collector) -> None:
    with ThreadPoolExecutor(max_workers=2) as pool:
        jobs = [pool.submit(check, collector) for check in checks]
    for job in jobs:
        job.result()
