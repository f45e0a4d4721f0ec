"""What state machine and template have to agree on of our own images: docs/adr/0015-compiled-deployments.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modelwright.config.images import OWN_IMAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

CONVERTED_FRAMEWORKS: Final = OWN_IMAGES["sklearn"]
"""The versions of AWS's scikit-learn images whose models are converted, and whose scripts our own image serves."""
_TARGETS: Final = ("serve", "convert", "python")


def repository_name(environment: str) -> str:
    """The ECR repository of an environment's serving images."""
    return f"mw-{environment}-serving"


def targets(*, compiled: bool) -> tuple[str, ...]:
    """The images that a pipeline needs: where models are compiled, also that for one that cannot be."""
    return _TARGETS if compiled else ("python",)


def image_tags(content: str, framework: str) -> Mapping[str, str]:
    """Each image's tag as an expression of JSONata, where `framework` is one of the version."""
    return {
        target: f"'{target}-{content}'" if target == "serve" else f"'{target}-{content}-sklearn-' & {framework}"
        for target in _TARGETS
    }
