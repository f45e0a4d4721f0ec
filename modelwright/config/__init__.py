"""What people write: `pipeline.yaml` and `environments/<env>.yaml`, as frozen, checked values.

`load_project` is the way in. Nothing here imports more than PyYAML: a command has no time to lose at its start.
"""

from modelwright.config.environment import EnvironmentSettings
from modelwright.config.load import Project, load_pipeline, load_project
from modelwright.config.pipeline import PipelineSettings
from modelwright.config.structure import PipelineStructure

__all__ = [
    "EnvironmentSettings",
    "PipelineSettings",
    "PipelineStructure",
    "Project",
    "load_pipeline",
    "load_project",
]
