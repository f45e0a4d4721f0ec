"""Every structure that a pipeline can have, in environments that between them use every setting.

One list: who adds a setting or a trigger adds it here, and `tests/synth/test_checks_variants.py` looks at its template
with every validator.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "training_code" / "penguins"
LINKED = ("app.py", "cdk.json", "stacks", "lambdas", "requirements-checks.txt", ".venv-checks")

_SMOKE = {"smoke_test": "data/smoke.csv", "serve": "framework"}
_FLEET = {"instance": "ml.m5.large", "instance_count": 2}
_SCALING = {"min": 2, "max": 4, "requests_per_instance": 1000}
HOSTED: Mapping[str, Mapping[str, Any]] = {
    "full-hosting-letter0": {
        "endpoint": "realtime",
        **(_FLEET | _SMOKE),
        "serve": "auto",
        "autoscaling": _SCALING,
        "capture": {"percent": 50},
        "update": {"traffic": "canary", "percent": 50, "wait_seconds": 60},
        "shadow": {"percent": 100, "minutes": 5},
        "ttl_hours": 12,
    },
    "variants": {
        "endpoint": "realtime",
        "instance": "ml.m5.large",
        **_SMOKE,
        "variants": [{"name": name, "weight": 1, **_FLEET} for name in ("One", "Two")],
        "update": {"traffic": "linear", "percent": 50, "wait_seconds": 60},
    },
    "queue-twenty-letter0": {
        "endpoint": "async",
        "instance": "ml.m5.large",
        **_SMOKE,
        "async": {"concurrent_per_instance": 4},
        "autoscaling": {"min": 0, "max": 2, "backlog_per_instance": 5},
        "ttl_hours": 1,
    },
    "several": {"endpoint": "multi-model", **(_FLEET | _SMOKE), "autoscaling": _SCALING},
    "without-machines-let": {
        "endpoint": "serverless",
        **_SMOKE,
        "serverless": {"memory_gib": 6, "max_concurrency": 200},
        "ttl_hours": 24,
    },
}
"""`deploy` of each way to host."""
_REALTIME = {"endpoint": "realtime", "instance": "ml.t2.medium", "smoke_test": "data/smoke.csv"}
PIPELINES: Mapping[str, Mapping[str, Any]] = {
    "commit": {
        "deploy": {**_REALTIME, "serve": "python"},
        "batch": None,
        "triggers": {"merge": {"codecommit": "models", "branch": "main"}},
    },
    "hub": {
        "deploy": {**_REALTIME, "api": {"authorization": "iam"}},
        "triggers": {"merge": {"github": "owner/models", "branch": "release/1"}},
    },
    "records": {
        "deploy": {**_REALTIME, "api": {"authorization": "api-key", "requests_per_day": 1000}},
        "triggers": {"data": {"every_records": 1000}},
    },
    "foreign-twenty-char0": {
        "data": {"source": "s3://their-bucket/raw/"},
        "triggers": {"data": {"marker": "_SUCCESS"}, "schedule": "cron(0 4 ? * MON *)"},
    },
    "twenty-letters-long0": {
        "deploy": {"endpoint": "none"},
        "triggers": {"merge": {"branch": "main"}},
        "batch": {"instance": "ml.m5.large", "instance_count": 2},
    },
    **{name: {"deploy": deploy} for name, deploy in HOSTED.items()},
}
"""What differs from the sample pipeline, by section (None: it has none); the sample itself is checked in the
project's own environments.
Names as long as they may be, so that sizes are those of the worst case."""

_NOT_IN_A_VPC = "without-machines-let"
FEWER: Mapping[str, tuple[str, ...]] = {
    "fullsettings": tuple(name for name in PIPELINES if name != _NOT_IN_A_VPC),
    "lean": ("commit", "hub", "records", "queue-twenty-letter0", "full-hosting-letter0"),
    "open": ("queue-twenty-letter0", "several", _NOT_IN_A_VPC),
}
"""Where not every pipeline is needed to see what the environment changes, or possible."""

ENVIRONMENTS: Mapping[str, Mapping[str, Any]] = {
    "fullsettings": {
        "region": "eu-central-1",
        "account": "210987654321",
        "logs": {"retention_days": 365},
        "notify": {"emails": ["one@example.org", "two@example.org"]},
        "alarms": {"metric_floors": {"accuracy": 0.7}},
        "limits": {"instances": ["ml.m5.*", "ml.t2.medium"], "max_runs_per_day": 24},
        "tags": {"team": "ml", "cost center": "42"},
        "role_path": "/ml/",
        "permissions_boundary": "arn:aws:iam::210987654321:policy/boundary",
        "qualifier": "mlteam",
        "oidc_provider": "create",
        "api_logs": "create",
        "vpc": {
            "id": "vpc-0123456789abcdef0",
            "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "security_groups": ["sg-0123456789abcdef0"],
            "route_tables": ["rtb-0123456789abcdef0"],
            "endpoints": "create",
        },
    },
    "open": {"region": "eu-central-1"},
    "lean": {
        "region": "us-east-1",
        "removal": "destroy",
        "key": "aws-owned",
        "vpc": {
            "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "security_groups": ["sg-0123456789abcdef0"],
        },
        "oidc_provider": "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
    },
}


def write_project(folder: Path, environment: str) -> Path:
    """Make a project of one environment and its pipelines; the platform's own folders are the real ones."""
    for name in LINKED:
        (folder / name).symlink_to(PROJECT / name)
    sample = yaml.safe_load((SAMPLE / "pipeline.yaml").read_text("utf-8"))
    for name in FEWER.get(environment, tuple(PIPELINES)):
        made = folder / "training_code" / name
        shutil.copytree(SAMPLE, made, ignore=shutil.ignore_patterns("__pycache__"))
        sections = {key: value for key, value in (sample | dict(PIPELINES[name])).items() if value is not None}
        (made / "pipeline.yaml").write_text(json.dumps(sections, indent=1), "utf-8")
    (folder / "environments").mkdir()
    settings = json.dumps(ENVIRONMENTS[environment], indent=1)
    (folder / "environments" / f"{environment}.yaml").write_text(settings, "utf-8")
    return folder
