from __future__ import annotations

import pytest

from modelwright.config import load_project
from modelwright.config.environment import AlarmSettings, LimitSettings, VpcSettings
from modelwright.config.read_environment import GITHUB_ISSUER


def test_every_value_can_be_set(project) -> None:
    project.write(
        "environments/prod.yaml",
        """\
region: us-east-1
account: "012345678901"
logs: {retention_days: 365}
notify: {emails: [a@example.com, b@example.org, a@example.com]}
alarms: {endpoint_latency_ms: 50, endpoint_error_percent: 0.5, endpoint_4xx_percent: 10, days_without_training: 2,
  metric_floors: {accuracy: 0.7}}
limits: {max_runtime_seconds: 7200, max_instance_count: 2, max_volume_gib: 20, max_wait_for_endpoint_seconds: 600,
  lease_seconds: 3600, instances: [ml.m5.large, ml.t2.*], max_runs_per_day: 24}
removal: destroy
key: aws-owned
tags: {team: ml, "cost centre": "42"}
role_path: /ml/
permissions_boundary: arn:aws:iam::012345678901:policy/boundary
qualifier: mine
oidc_provider: create
vpc: {id: vpc-0123456789abcdef0, subnets: [subnet-01234567, subnet-89abcdef], security_groups: [sg-01234567],
  endpoints: create, route_tables: [rtb-01234567]}
""",
    )
    found = load_project(project.root, "prod").environment
    assert (found.name, found.region, found.account, found.prefix) == ("prod", "us-east-1", "012345678901", "mw-prod")
    assert found.logs.retention_days == 365
    assert found.notify_emails == ("a@example.com", "b@example.org")
    assert found.alarms == AlarmSettings(50, 0.5, 10, 2, {"accuracy": 0.7})
    assert found.limits == LimitSettings(7200, 2, 20, ("ml.m5.large", "ml.t2.*"), 24, 600, 3600)
    assert (found.removal, found.key, found.role_path, found.qualifier) == ("destroy", "aws-owned", "/ml/", "mine")
    assert found.tags == {"team": "ml", "cost centre": "42"}
    assert (found.permissions_boundary, found.oidc_provider) == ("arn:aws:iam::012345678901:policy/boundary", "create")
    network = ("subnet-01234567", "subnet-89abcdef"), ("sg-01234567",), "vpc-0123456789abcdef0", ("rtb-01234567",)
    assert found.vpc == VpcSettings(*network, "create")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("region: eu-centrl-1", "it must be a region that AWS has, did you mean eu-central-1"),
        ("region: 5", "region is 5; it must be a region, like eu-central-1"),
        (
            "region: cn-north-1",
            "region is 'cn-north-1', of the partition aws-cn, which is not supported yet; it must be",
        ),
        ("region: us-gov-west-1", "it must be a region of the partition aws, like eu-central-1 or us-east-1."),
        (
            "account: 123456789012",
            'account is 123456789012; it must be 12 digits in quotes; put it in quotes: "123456789012".',
        ),
        ('account: "12345"', "account is '12345'; it must be 12 digits in quotes."),
        ("notify: {emails: [nobody]}", "notify.emails[0] is 'nobody'; it must be an e-mail address."),
        ("notify: {emails: a@b.c}", "notify.emails is 'a@b.c'; it must be a list"),
        ("alarms: {endpoint_latency_ms: 0}", "alarms.endpoint_latency_ms is 0; it must be 1 to 60000."),
        ("alarms: {endpoint_error_percent: 101}", "is 101; it must be a number, 0 to 100."),
        ("alarms: {endpoint_error_percent: .nan}", "is nan; it must be a number, 0 to 100."),
        ("alarms: {days_without_training: 8}", "is 8; it must be 1 to 7."),
        (
            "limits: {lease_seconds: 3600}",
            "limits.lease_seconds is 3600; it must be 12600 or more: three times max_wait",
        ),
        ("limits: {max_runs_per_day: 0}", "limits.max_runs_per_day is 0; it must be 1 to 10000."),
        (
            "limits: {instances: [m5.large]}",
            "limits.instances[0] is 'm5.large'; it must be an instance type like ml.m5",
        ),
        ("limits: {instances: [ml.m5.enormous]}", "limits.instances[0] is 'ml.m5.enormous'; SageMaker has no instance"),
        ("limits: {instances: ['ml.m55*.*']}", "SageMaker has no instance type like it."),
        (
            "limits: {instances: [" + ", ".join(f"ml.m{n}.{size}*" for n in (4, 5) for size in "0123456789x") + "]}",
            "limits.instances has 22 entries; at most 20; ml.m5.* stands for many.",
        ),
        ("vpc: {}", "vpc.subnets is missing or empty; a vpc needs 1 to 16 of them."),
        ("vpc: {subnets: [subnet-01234567]}", "vpc.security_groups is missing or empty; a vpc needs 1 to 5 of them."),
        (
            "vpc: {security_groups: ["
            + ", ".join(f"sg-0123456{n}" for n in range(6))
            + "], subnets: [subnet-01234567]}",
            "vpc.security_groups has 6 entries; SageMaker takes at most 5.",
        ),
        (
            "vpc: {security_groups: [sg-01234567], subnets: [subnet-01234567], endpoints: create}",
            "vpc.route_tables is missing; endpoints: create needs it.",
        ),
        ("vpc: {subnets: []}", "vpc.subnets is missing or empty; a vpc needs 1 to 16 of them."),
        ("vpc: {subnets: [subnet-1]}", "vpc.subnets[0] is 'subnet-1'; it must be an id: subnet-…."),
        ("tags: {'aws:x': y}", "tags.aws:x must be a tag's key: at most 128 letters"),
        ("tags: {'AWS:x': y}", "aws: or modelwright: do not begin it."),
        ("tags: {MANAGED_BY_AWS: me}", "not MANAGED_BY_AWS, and aws: or modelwright: do not begin it."),
        ("tags: {'modelwright:run': y}", "aws: or modelwright: do not begin it."),
        ("tags: {'a&b': y}", "tags.a&b must be a tag's key"),
        ("tags: {team: 'a&b'}", "tags.team is 'a&b'; it must be a tag's value: at most 256 such characters."),
        ("tags: {team: 5}", "tags.team is 5; it must be a tag's value: at most 256 such characters; put it in quotes"),
        ("tags: {team: a, Team: b}", "tags.Team differs from team in case only; roles cannot have both."),
        (
            "tags: {" + ", ".join(f"t{index}: x" for index in range(46)) + "}",
            "tags has 46 tags; at most 45 leave room for modelwright's own.",
        ),
        ("role_path: ml", "role_path is 'ml'; it must be a path that begins and ends with a slash, at most 64"),
        ("role_path: //", "role_path is '//'; it must be a path"),
        ("role_path: /é/", "role_path is '/é/'; it must be a path"),
        ("role_path: /aws-service-role/x/", "it must be a path that begins and ends with a slash"),
        (f"role_path: /{'a' * 63}/", "it must be a path that begins and ends with a slash, at most 64 characters"),
        (
            "permissions_boundary: boundary",
            "permissions_boundary is 'boundary'; it must be the ARN of a managed policy.",
        ),
        (
            "permissions_boundary: arn:aws:iam::123456789012:role/boundary",
            "it must be the ARN of a managed policy.",
        ),
        (
            'account: "123456789012"\npermissions_boundary: arn:aws:iam::210987654321:policy/boundary',
            "permissions_boundary is in the account 210987654321; it must be in 123456789012, that of the environment",
        ),
        ("oidc_provider: mine", "oidc_provider is 'mine'; it must be create, or an ARN that ends in token.actions.git"),
        (
            f'account: "123456789012"\noidc_provider: arn:aws:iam::210987654321:oidc-provider/{GITHUB_ISSUER}',
            "oidc_provider is in the account 210987654321; it must be in 123456789012, that of the environment.",
        ),
        ("api_logs: mine", "api_logs is 'mine'; it must be existing or create."),
        ("qualifier: Mine", "qualifier is 'Mine'; it must be at most 10 lower-case letters and digits."),
        ("key: mine", "key is 'mine'; it must be customer-managed or aws-owned."),
        ("removal: keep", "removal is 'keep'; it must be retain or destroy."),
        ("tag: {}", "tag is not a known key;"),
        ("logs: 30", "logs is 30; it must be a mapping"),
    ],
)
def test_a_wrong_value_is_a_problem(project, text: str, problem: str) -> None:
    region = "" if text.startswith("region") else "region: eu-central-1\n"
    project.write("environments/dev.yaml", f"{region}{text}\n")
    problems = project.problems()
    assert [line for line in problems if problem in line and line.startswith("environments/dev.yaml:")], problems


def test_an_environments_name_has_no_hyphen(project) -> None:
    project.write("environments/my-env.yaml", "region: eu-central-1\n")
    with pytest.raises(Exception, match="makes the environment's name 'my-env'; it must be a lower-case letter"):
        load_project(project.root, "my-env")
