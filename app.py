"""The composition root: settings in, stacks out. `cdk synth` and `modelwright synth` run it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from aws_cdk import App, Environment

from modelwright.config import load_project
from modelwright.errors import ModelwrightError
from stacks.account_rules import apply_account_rules, synthesizer
from stacks.data_stack import DataStack
from stacks.pipeline_data_stack import PipelineDataStack
from stacks.pipeline_stack import PipelineStack
from stacks.policy_checks import check_policies


def build(root: Path, environment: str) -> App:
    """Make the stacks of the project in `root` for `environments/<environment>.yaml`; looks nothing up."""
    project = load_project(root, environment)
    settings = project.environment
    app = App(
        analytics_reporting=False,
        tree_metadata=False,
        stack_traces=False,
        default_stack_synthesizer=synthesizer(settings),
    )
    env = Environment(account=settings.account, region=settings.region)  # no account: whoever deploys has one
    structures = {name: pipeline.structure() for name, pipeline in project.pipelines.items()}
    external_data = (structure.external_data for structure in structures.values())
    shared = DataStack(app, settings, env, filter(None, external_data))
    for name, structure in structures.items():
        kept = PipelineDataStack(app, settings, name, env)
        stack = PipelineStack(app, settings, structure, env)
        kept.add_stack_dependency(shared)
        stack.add_stack_dependency(kept)
    apply_account_rules(app, settings)
    check_policies(app)
    return app


def main() -> int:
    """Synthesize the environment that MODELWRIGHT_ENV names; 1 when the settings are wrong."""
    try:
        build(Path(__file__).parent, os.environ.get("MODELWRIGHT_ENV", "dev")).synth()
    except ModelwrightError as error:
        print(error, file=sys.stderr)  # noqa: T201 # for whoever runs `cdk` itself
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
