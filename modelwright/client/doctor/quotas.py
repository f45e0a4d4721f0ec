"""Whether the account may have the instances that the pipelines ask for: a new account has none of most types."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelwright.client.doctor.findings import Examination, Finding, failure, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelwright.config import PipelineSettings
    from modelwright.config.pipeline import DeploySettings

_SERVICE = "sagemaker"


@dataclass(frozen=True)
class Need:
    """Instances of one type for one purpose."""

    quota: str
    """The quota's name: https://docs.aws.amazon.com/general/latest/gr/sagemaker.html#limits_sagemaker"""
    least: int
    """Under this, something cannot run at all."""
    best: int
    """Under this, something may have to wait or fail when others run, too."""


def check_quotas(about: Examination) -> Iterator[Finding]:
    """A quota under what is asked for: the first run would end with ResourceLimitExceeded."""
    wanted = needs(about.pipelines)
    found = quotas(about, _SERVICE, {need.quota for need in wanted})
    for need in wanted:
        yield _judge(need, found.get(need.quota), about.settings.region)


def needs(pipelines: Mapping[str, PipelineSettings]) -> list[Need]:
    """Return what the pipelines ask for, by the quota's name.

    Jobs of one pipeline come one after another. An endpoint's update makes the new fleet beside the old one:
    https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
    """
    jobs: dict[str, list[int]] = defaultdict(list)
    endpoints: dict[str, list[int]] = defaultdict(list)
    for pipeline in pipelines.values():
        jobs[f"{pipeline.train.instance} for training job usage"].append(pipeline.train.instance_count)
        for job in (pipeline.process, pipeline.evaluate):
            jobs[f"{job.instance} for processing job usage"].append(job.instance_count)
        if pipeline.batch:
            jobs[f"{pipeline.batch.instance} for transform job usage"].append(pipeline.batch.instance_count)
        for instance, count in _fleets(pipeline.deploy):
            endpoints[f"{instance} for endpoint usage"].append(count)
    found = [Need(name, max(counts), max(counts)) for name, counts in jobs.items()]
    found += [Need(name, sum(counts), sum(counts) + max(counts)) for name, counts in endpoints.items()]
    return sorted(found, key=lambda need: need.quota)


def _fleets(deploy: DeploySettings) -> Iterator[tuple[str, int]]:
    """The machines of each variant, as many as it may scale to; a serverless endpoint has none."""
    for variant in deploy.variants:
        yield variant.instance, deploy.autoscaling.max if deploy.autoscaling else variant.instance_count


def quotas(about: Examination, service: str, names: set[str]) -> dict[str, Mapping[str, Any]]:
    """Return the quotas of these names: the applied values, and AWS's defaults for those that were never applied.

    The first listing leaves these out.

    https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html
    """
    client = about.session.client("service-quotas")
    found: dict[str, Mapping[str, Any]] = {}
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        if names <= set(found):
            break
        for page in client.get_paginator(operation).paginate(ServiceCode=service):
            told = {entry["QuotaName"]: entry for entry in page["Quotas"] if entry["QuotaName"] in names}
            found = {**told, **found}
    return found


def _judge(need: Need, quota: Mapping[str, Any] | None, region: str) -> Finding:
    if quota is None:
        return warning(
            "quotas",
            f"SageMaker tells no quota {need.quota!r} in {region}: the instance type may not be offered there.",
            "https://aws.amazon.com/sagemaker/ai/pricing/ lists the types of a region.",
        )
    value = int(quota["Value"])
    ask = (
        f"`aws service-quotas request-service-quota-increase --region {region} --service-code {_SERVICE} "
        f"--quota-code {quota['QuotaCode']} --desired-value {need.best}` asks for more."
    )
    if value < need.least:
        return failure(
            "quotas", f"{need.quota}: {value}, and {need.least} needed: a run would fail.", ask, blocks=False
        )
    if value < need.best:
        text = f"{need.quota}: {value}, enough to begin with, but an update of an endpoint needs {need.best}."
        return warning("quotas", text, ask)
    return ok("quotas", f"{need.quota}: {value}, and {need.best} needed.")
