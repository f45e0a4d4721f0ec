"""`doctor --aws`: everything that can be known of an account before a deploy, looked at side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from modelwright.client.doctor.api_logs import check_api_logs
from modelwright.client.doctor.bootstrap import check_bootstrap
from modelwright.client.doctor.builds import check_builds
from modelwright.client.doctor.endpoints import check_endpoints
from modelwright.client.doctor.findings import Examination, Finding, warning
from modelwright.client.doctor.identity import check_identity
from modelwright.client.doctor.images import check_images
from modelwright.client.doctor.key_choice import check_key_choice
from modelwright.client.doctor.leftovers import check_leftovers
from modelwright.client.doctor.log_policies import check_log_policies
from modelwright.client.doctor.names import check_names
from modelwright.client.doctor.network import check_network
from modelwright.client.doctor.quotas import check_quotas
from modelwright.client.doctor.roles import check_boundary, check_oidc_provider
from modelwright.client.doctor.sources import check_buckets, check_repositories
from modelwright.client.doctor.stacks import check_stacks
from modelwright.client.problems import explain
from modelwright.errors import ModelwrightError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.client.session import Session
    from modelwright.config import PipelineSettings, Project

Check = Callable[[Examination], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    check_bootstrap,
    check_stacks,
    check_leftovers,
    check_key_choice,
    check_names,
    check_quotas,
    check_builds,
    check_images,
    check_endpoints,
    check_buckets,
    check_repositories,
    check_oidc_provider,
    check_boundary,
    check_network,
    check_log_policies,
    check_api_logs,
)
_AT_ONCE = 8


def examine_account(
    project: Project, pipelines: Mapping[str, PipelineSettings], sessions: Callable[[str], Session]
) -> list[Finding]:
    """Look at everything that `pipelines` need in the account, and report all of it, in the order of `CHECKS`.

    `sessions` makes a session of a region. When it is not known who asks, or the account is another one, nothing else
    is looked at: it would be about the wrong account.
    """
    session = sessions(project.environment.region)
    account, findings = check_identity(project.environment, session, sessions)
    if account is None:
        return findings
    about = Examination(project, session, account, pipelines)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        for found in pool.map(lambda check: _run(check, about), CHECKS):
            findings.extend(found)
    return findings


def _run(check: Check, about: Examination) -> list[Finding]:
    """What AWS refuses to tell is a warning: a permission that only looking needs is no reason not to deploy."""
    name = check.__name__.removeprefix("check_").replace("_", " ")
    try:
        return list(check(about))
    except Exception as error:
        known = error if isinstance(error, ModelwrightError) else explain(error)
        if known is None:
            raise
        return [warning(name, f"could not be looked at: {known.message}", known.hint)]
