"""What who calls needs of IAM: whoever runs, deploys, or destroys; with `python -m`, this writes the page about it.

Each statement names what it is for in its `Sid`. A test runs the commands as a role with exactly these policies, and
finds every action used. What CloudFormation names after its stack is held by patterns:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html#resources-section-physical-id
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelwright.client.caller_place import Place
from modelwright.client.deployment import stack_name
from modelwright.config.images import dns_suffix, framework_repositories
from modelwright.workflow.run_names import name_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


Statement = dict[str, Any]
PAGE = Path(__file__).parents[2] / "docs" / "caller-policy.md"
_PUBLISHED = ("code", "commits", "datasets", "releases")
_KEPT = (*_PUBLISHED, "runs", "models", "batch", "async", "capture")


def run_policy(place: Place) -> list[Statement]:
    """For `run`, `runs`, `show`, `logs`, `predict`, `release`, `emit`, `status` and `dashboard` with `--aws`."""
    prefixes = [name.removeprefix(f"{place.artifacts}/") for name in place.objects(_PUBLISHED)]
    return [
        _stacks_statement(place, "cloudformation:DescribeStackResources"),
        _allow("StartAndListRuns", ["states:ListExecutions", "states:StartExecution"], _machines(place)),
        _allow(
            "FollowAndStopRuns",
            ["states:DescribeExecution", "states:GetExecutionHistory", "states:StopExecution"],
            place.each("states", "execution:{name}:*"),
        ),
        _allow("Publish", ["s3:PutObject"], place.objects(_PUBLISHED)),
        _allow(
            "SeeWhatIsPublished", ["s3:ListBucket"], [place.artifacts], {"StringLike": {"s3:prefix": sorted(prefixes)}}
        ),
        *_encrypt(place),
        _allow("FindLogsOfFunctions", ["lambda:GetFunctionConfiguration"], place.each("lambda", "function:{name}-*")),
        _allow("ReadLogs", ["logs:FilterLogEvents"], _log_groups(place)),
        _allow(
            "Predict",
            ["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"],
            place.each("sagemaker", "endpoint/{name}"),
        ),
        _allow("AnnounceMerges", ["events:PutEvents"], [place.arn("events", f"event-bus/mw-{place.environment}")]),
        *_dashboard(place),
    ]


def _dashboard(place: Place) -> Iterator[Statement]:
    """A dashboard is no region's, and CloudFormation makes up its whole name; metrics are no resources.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
    """
    dashboards = f"arn:{place.partition}:cloudwatch::{place.account}:dashboard/*"
    yield _allow("ReadTheDashboard", ["cloudwatch:GetDashboard"], [dashboards])
    yield _allow("SeeAlarms", ["cloudwatch:DescribeAlarms"], place.each("cloudwatch", "alarm:{name}-*"))
    yield _allow("ReadMetrics", ["cloudwatch:GetMetricData"], ["*"])


def destroy_policy(place: Place) -> list[Statement]:
    """For `destroy PIPELINE --aws`, with `--data` and without."""
    models = [name_pattern(place.environment, pipeline) for pipeline in place.pipelines]
    made = [place.arn("sagemaker", f"{kind}/{name}") for kind in ("endpoint-config", "model") for name in models]
    table = place.arn("dynamodb", f"table/mw-{place.environment}")
    parameters = [
        place.arn("ssm", f"parameter/modelwright/{place.environment}/{name}")
        for name in ("artifact-bucket", "data-bucket", "table-name")
    ]
    return [
        _stacks_statement(place, "cloudformation:DescribeStackResources"),
        _allow("ReadParameters", ["ssm:GetParameters"], parameters),
        _allow("StopRuns", ["states:StopExecution"], place.each("states", "execution:{name}:*")),
        _allow("ListRuns", ["states:ListExecutions"], _machines(place)),
        _allow(
            "RemoveEndpoints",
            ["sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint"],
            place.each("sagemaker", "endpoint/{name}"),
        ),
        _allow(
            "EndScaling",
            ["application-autoscaling:DeregisterScalableTarget"],
            [place.arn("application-autoscaling", "scalable-target/*")],
            {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
        ),
        _allow("EndAlarmsOfScaling", ["cloudwatch:DeleteAlarms"], _scaling_alarms(place)),
        _allow("StopBatches", ["sagemaker:StopTransformJob"], _batches(place)),
        _allow("RemoveModels", ["sagemaker:DeleteEndpointConfig", "sagemaker:DeleteModel"], made),
        # none of these takes a resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakerai.html
        _allow("LookForWhatIsLeft", [*_LISTS], ["*"]),
        _allow("LookForAlarms", ["cloudwatch:DescribeAlarms"], [place.arn("cloudwatch", "alarm:*")]),
        # with the role of its deploy, which CloudFormation keeps: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-servicerole.html
        _allow("RemoveStacks", ["cloudformation:DeleteStack"], place.each("cloudformation", "stack/{name}/*")),
        _allow(
            "WhyAStackStays", ["cloudformation:DescribeStackEvents"], place.each("cloudformation", "stack/{name}/*")
        ),
        _allow("ListPackages", ["sagemaker:ListModelPackages"], ["*"]),
        _allow("RemovePackages", ["sagemaker:DeleteModelPackage"], place.each("sagemaker", "model-package/{name}/*")),
        _allow("ListVersions", ["s3:ListBucketVersions"], [place.artifacts]),
        _allow("RemoveVersions", ["s3:DeleteObjectVersion"], place.objects(_KEPT)),
        _allow("RemoveItems", ["dynamodb:DeleteItem", "dynamodb:Query"], [table], _items(place, _PARTITIONS)),
        *_read_items(place),
    ]


def _scaling_alarms(place: Place) -> list[str]:
    """Auto Scaling's own, and the one that starts an endpoint's first machine."""
    names = ("alarm:{name}-from-zero", "alarm:TargetTracking-endpoint/{name}/variant/*")
    return [each for name in names for each in place.each("cloudwatch", name)]


def produce_policy(place: Place) -> list[Statement]:
    """For `emit data PIPELINE --aws`, beside the policy of who runs: what a producer needs is its first statement."""
    own = [f"{place.bucket('data')}/incoming/{pipeline}/*" for pipeline in place.pipelines]
    table = place.arn("dynamodb", f"table/mw-{place.environment}")
    return [
        _allow("BringData", ["s3:PutObject"], own),
        *_encrypt(place),
        _allow("SeeWhatWaits", ["dynamodb:GetItem"], [table], _items(place, ("RECORDS#{pipeline}",))),
        *_read_items(place),
    ]


def export_policy(place: Place) -> list[Statement]:
    """For `export PIPELINE --aws`: the model that serves, and the data sets of the run that trained it."""
    read = [f"{place.artifacts}/{folder}/{pipeline}/*" for pipeline in place.pipelines for folder in ("models", "runs")]
    table = place.arn("dynamodb", f"table/mw-{place.environment}")
    prefixes = {"StringLike": {"s3:prefix": [f"runs/{pipeline}/*" for pipeline in place.pipelines]}}
    return [
        _stacks_statement(place),
        _allow("FindTheChampion", ["dynamodb:GetItem"], [table], _items(place, ("PIPELINE#{pipeline}",))),
        _allow("AskTheRegistry", ["sagemaker:DescribeModelPackage"], place.each("sagemaker", "model-package/{name}/*")),
        _allow("ReadTheModel", ["s3:GetObject"], read),
        _allow("ListItsData", ["s3:ListBucket"], [place.artifacts], prefixes),
        *_read_items(place),
        *([_key(place, "DecryptTheModel", ["kms:Decrypt"], "s3")] if place.own_key else []),
    ]


def open_policy(place: Place) -> list[Statement]:
    """For `open PIPELINE --aws`: what serves, its schema, and asking it, through its REST API or directly.

    AWS makes up the ids of APIs and keys: put those of the stack's outputs `ApiUrl` and `ApiKeyId` in place of the `*`.
    Who only calls the API needs `AskTheApi` alone, and with API keys nothing.
    """
    read = [f"{place.artifacts}/releases/{pipeline}/*" for pipeline in place.pipelines]
    read += [f"{place.artifacts}/models/{pipeline}/*/schema.json" for pipeline in place.pipelines]
    table = place.arn("dynamodb", f"table/mw-{place.environment}")
    prefixes = {"StringLike": {"s3:prefix": [f"models/{pipeline}/*" for pipeline in place.pipelines]}}
    return [
        _stacks_statement(place),
        _allow("FindTheChampion", ["dynamodb:GetItem"], [table], _items(place, ("PIPELINE#{pipeline}",))),
        _allow("ReadItsSchema", ["s3:GetObject"], read),
        _allow("SeeWhetherItHasOne", ["s3:ListBucket"], [place.artifacts], prefixes),
        _allow("AskTheApi", ["execute-api:Invoke"], [place.arn("execute-api", "*/live/POST/predict")]),
        _allow("ReadItsKey", ["apigateway:GET"], [place.arn("apigateway", "/apikeys/*", account="")]),
        _allow("AskTheEndpoint", ["sagemaker:InvokeEndpoint"], place.each("sagemaker", "endpoint/{name}")),
        *_read_items(place),
        *([_key(place, "DecryptItsSchema", ["kms:Decrypt"], "s3")] if place.own_key else []),
    ]


def later_policy(place: Place) -> list[Statement]:
    """For `predict PIPELINE --aws` where the endpoint is asynchronous: the request and the answer lie in S3."""
    inputs = [f"{place.artifacts}/async/{each}/input/*" for each in place.pipelines]
    answers = [f"{place.artifacts}/async/{each}/{what}/*" for each in place.pipelines for what in ("output", "failure")]
    prefixes = {"StringLike": {"s3:prefix": [f"async/{each}/*" for each in place.pipelines]}}
    return [
        _stacks_statement(place),
        _allow("BringRequests", ["s3:PutObject"], inputs),
        _allow("AskLater", ["sagemaker:InvokeEndpointAsync"], place.each("sagemaker", "endpoint/{name}")),
        _allow("ReadAnswers", ["s3:GetObject"], answers),
        _allow("SeeWhetherItIsThere", ["s3:ListBucket"], [place.artifacts], prefixes),
        *_encrypt(place),
        *([_key(place, "DecryptAnswers", ["kms:Decrypt"], "s3")] if place.own_key else []),
    ]


def batch_policy(place: Place) -> list[Statement]:
    """For `batch PIPELINE --aws`: the model with the role of batch transform, jobs, what they read and write.

    That role is handed to SageMaker, so whoever calls may pass it, and no other.
    """
    table = place.arn("dynamodb", f"table/mw-{place.environment}")
    models = [place.arn("sagemaker", f"model/{name_pattern(place.environment, each)}") for each in place.pipelines]
    jobs = _batches(place)
    # CloudFormation names it, below `role_path`
    roles = [
        f"arn:{place.partition}:iam::{place.account}:role/*{stack_name(place.environment, each)}-BatchRole-*"
        for each in place.pipelines
    ]
    own = [f"{place.artifacts}/batch/{each}/*" for each in place.pipelines]
    about = [f"{place.artifacts}/{what}/{each}/*" for each in place.pipelines for what in ("models", "releases")]
    incoming = [f"{place.bucket('data')}/incoming/{each}/*" for each in place.pipelines]
    folders = [f"{what}/{each}/*" for each in place.pipelines for what in ("batch", "models", "releases")]
    return [
        _stacks_statement(place),
        _allow("FindTheChampion", ["dynamodb:GetItem"], [table], _items(place, ("PIPELINE#{pipeline}",))),
        _allow("AskTheRegistry", ["sagemaker:DescribeModelPackage"], place.each("sagemaker", "model-package/{name}/*")),
        _allow("ListTheRegistry", ["sagemaker:ListModelPackages"], ["*"]),
        _allow("ReadAboutTheModel", ["s3:GetObject"], about),
        _allow("MakeItsModel", ["sagemaker:CreateModel", "sagemaker:DeleteModel", "sagemaker:DescribeModel"], models),
        _allow(
            "RunJobs",
            [f"sagemaker:{verb}TransformJob" for verb in ("Create", "Describe", "Stop")],
            jobs,
        ),
        _allow("TagThem", ["sagemaker:AddTags"], [*models, *jobs]),
        _allow(
            "HandOverTheRole",
            ["iam:PassRole"],
            roles,
            {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        _allow("BringAndFetchFiles", ["s3:GetObject", "s3:PutObject"], own),
        _allow("ReadWhatProducersBring", ["s3:GetObject"], incoming),
        _allow("ListFiles", ["s3:ListBucket"], [place.artifacts], {"StringLike": {"s3:prefix": folders}}),
        _allow(
            "ListWhatProducersBring",
            ["s3:ListBucket"],
            [place.bucket("data")],
            {"StringLike": {"s3:prefix": [f"incoming/{each}/*" for each in place.pipelines]}},
        ),
        _allow("ReadWhyAJobFailed", ["logs:FilterLogEvents"], [_job_log(place, "Transform")]),
        *_encrypt(place),
        *_read_items(place),
        *([_key(place, "DecryptFiles", ["kms:Decrypt"], "s3")] if place.own_key else []),
    ]


def deploy_policy(place: Place) -> list[Statement]:
    """For `deploy`, `diff` and `doctor --aws`, beside the policy of who runs: a deploy publishes what schedules run.

    CDK does everything as the roles of the bootstrap, which are trusted for the account:
    https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html#bootstrapping-env-roles
    """
    roles = f"arn:{place.partition}:iam::{place.account}:role/cdk-{place.qualifier}-*-{place.account}-{place.region}"
    parameter = place.arn("ssm", f"parameter/cdk-bootstrap/{place.qualifier}/version")
    registries = [
        place.arn("ecr", f"repository/{name}", account=owner) for owner, name in framework_repositories(place.region)
    ]
    environment = place.environment
    return [
        _allow("DeployAsTheRolesOfTheBootstrap", ["sts:AssumeRole"], [roles]),
        _allow("ReadTheBootstrapVersion", ["ssm:GetParameter"], [parameter]),
        _stacks_statement(place, "cloudformation:DescribeStackEvents", "cloudformation:DescribeStackResources"),
        # none of these takes a resource that could be named
        _allow("LookAtTheAccount", [*_LOOKS], ["*"]),
        _allow("LookAtTheLogsOfApis", ["apigateway:GET"], [place.arn("apigateway", "/account", account="")]),
        _allow("LookAtTheTable", ["dynamodb:DescribeTable"], [place.arn("dynamodb", f"table/mw-{environment}")]),
        _allow("LookAtRepositories", ["ecr:DescribeRepositories"], place.each("ecr", "repository/{name}")),
        _allow("LookAtImages", ["ecr:BatchGetImage"], registries),
        _allow("LookAtEndpoints", ["sagemaker:DescribeEndpoint"], place.each("sagemaker", "endpoint/{name}")),
        _allow(
            "LookAtPackageGroups",
            ["sagemaker:DescribeModelPackageGroup"],
            place.each("sagemaker", "model-package-group/{name}"),
        ),
        _allow(
            "LookAtTheKeyChoice",
            ["ssm:GetParameters"],
            [
                place.arn("ssm", f"parameter/modelwright/{environment}/{name}")
                for name in ("artifact-bucket", "key-arn")
            ],
        ),
    ]


_PARTITIONS = ("PIPELINE#{pipeline}", "TRIGGER#{pipeline}", "RECORDS#{pipeline}", "ENDPOINT#{name}")
_LISTS = (
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListModels",
    "sagemaker:ListProcessingJobs",
    "sagemaker:ListTrainingJobs",
    "sagemaker:ListTransformJobs",
)
_LOOKS = (
    "cloudformation:ListStacks",
    "codecommit:GetBranch",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "iam:GetOpenIDConnectProvider",
    "iam:GetPolicy",
    "iam:ListOpenIDConnectProviders",
    "logs:DescribeResourcePolicies",
    "s3:ListBucket",
    "servicequotas:ListAWSDefaultServiceQuotas",
    "servicequotas:ListServiceQuotas",
)


def document(statements: Iterable[Statement]) -> dict[str, Any]:
    """Return a policy with these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def page(place: Place) -> str:
    """Return docs/caller-policy.md."""
    parts = [_HEAD]
    for title, text, statements in (
        ("Who runs", run_policy.__doc__, run_policy(place)),
        ("Who deploys", deploy_policy.__doc__, deploy_policy(place)),
        ("Who brings data", produce_policy.__doc__, produce_policy(place)),
        ("Who exports", export_policy.__doc__, export_policy(place)),
        ("Who tries a model", open_policy.__doc__, open_policy(place)),
        ("Who asks an asynchronous endpoint", later_policy.__doc__, later_policy(place)),
        ("Who asks about whole files", batch_policy.__doc__, batch_policy(place)),
        ("Who destroys", destroy_policy.__doc__, destroy_policy(place)),
    ):
        about = " ".join((text or "").split())
        parts.append(f"## {title}\n\n{about}\n\n```json\n{json.dumps(document(statements), indent=2)}\n```\n")
    return "\n".join(parts)


def _allow(sid: str, actions: list[str], resources: list[str], condition: dict[str, Any] | None = None) -> Statement:
    found: Statement = {"Sid": sid, "Effect": "Allow", "Action": sorted(actions), "Resource": resources}
    return {**found, "Condition": condition} if condition else found


def _stacks_statement(place: Place, *more: str) -> Statement:
    stacks = place.arn("cloudformation", f"stack/mw-{place.environment}-*/*")
    return _allow("FindWhatIsDeployed", ["cloudformation:DescribeStacks", *more], [stacks])


def _machines(place: Place) -> list[str]:
    return place.each("states", "stateMachine:{name}")


def _log_groups(place: Place) -> list[str]:
    """SageMaker's groups are those of the whole account: a job has a stream of them, and nothing is granted on that."""
    jobs = [_job_log(place, kind) for kind in ("Processing", "Training")]
    return [*jobs, *place.each("logs", "log-group:{name}-*")]


def _batches(place: Place) -> list[str]:
    names = [name_pattern(place.environment, pipeline, "batch") for pipeline in place.pipelines]
    return [place.arn("sagemaker", f"transform-job/{name}") for name in names]


def _job_log(place: Place, kind: str) -> str:
    return place.arn("logs", f"log-group:/aws/sagemaker/{kind}Jobs:*")


def _items(place: Place, partitions: tuple[str, ...]) -> dict[str, Any]:
    """Only these pipelines' items of the table.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """
    keys = [
        partition.format(pipeline=pipeline, name=stack_name(place.environment, pipeline))
        for pipeline in place.pipelines
        for partition in partitions
    ]
    return {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": keys}}


def _encrypt(place: Place) -> Iterator[Statement]:
    """The key's own policy lets the account decide: what goes through S3 with it."""
    if place.own_key:
        yield _key(place, "EncryptWhatIsPublished", ["kms:GenerateDataKey"], "s3")


def _read_items(place: Place) -> Iterator[Statement]:
    if place.own_key:
        yield _key(place, "ReadItems", ["kms:Decrypt"], "dynamodb")


def _key(place: Place, sid: str, actions: list[str], service: str) -> Statement:
    via = f"{service}.{place.region}.{dns_suffix(place.region)}"
    return _allow(sid, actions, [place.arn("kms", "key/*")], {"StringEquals": {"kms:ViaService": via}})


_HEAD = """# What the caller needs of IAM

The smallest policies with which the commands work, for the environment `dev` with the pipeline `penguins`; written by
`python -m modelwright.client.caller_policy`. `modelwright doctor --policy WHAT` prints them for your own
environment and pipelines; here the account is 123456789012. All but the second were tried: the commands run on the
local cloud as a role that has the policy and nothing else, and no action of it stays unused. That who deploys may look
at exactly what `doctor` looks at is a test, too; CDK's own part was never tried (see [local.md](local.md)).

The roles that jobs, functions and the state machine have are the template's: nobody who calls needs to pass one, but
that of batch transform.
"""


def main() -> None:
    """Write the page for the sample environment."""
    PAGE.write_text(page(Place("dev", "eu-central-1", "123456789012", ("penguins",))), "utf-8")


if __name__ == "__main__":
    main()
