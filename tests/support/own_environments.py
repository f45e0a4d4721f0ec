"""Projects like the real one with environments of a test's own."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LINKED = ("app.py", "cdk.json", "stacks", "lambdas", "training_code")

ACCOUNT = "123456789012"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/ml/Boundary"
TAGS = {"Cost.centre": "42", "team": "machine learning"}
SUBNETS = ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")
GROUP = "sg-0123456789abcdef0"
STRICT = f"""\
region: eu-central-1
account: "{ACCOUNT}"
role_path: /ml/platform/
permissions_boundary: {BOUNDARY}
tags: {{team: machine learning, Cost.centre: "42"}}
qualifier: mlteam
limits: {{instances: [ml.m5.large, ml.t2.*], max_runtime_seconds: 7200}}
vpc:
  id: vpc-0123456789abcdef0
  subnets: [{SUBNETS[0]}, {SUBNETS[1]}]
  security_groups: [{GROUP}]
  endpoints: create
  route_tables: [rtb-0123456789abcdef0]
"""
"""What a platform engineer may ask for."""


def project_with(folder: Path, **environments: str) -> Path:
    """Make `folder` a project: the real one by links, but with these environments (name=yaml)."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in LINKED:
        (folder / name).symlink_to(PROJECT / name)
    (folder / "environments").mkdir()
    for name, text in environments.items():
        (folder / "environments" / f"{name}.yaml").write_text(text, "utf-8")
    return folder
