"""What state machine and template have to agree on of our own images: docs/adr/0015-compiled-deployments.md."""

from __future__ import annotations

from typing import Final

CONVERTED_FRAMEWORKS: Final = ("1.2-1", "1.4-2-py312", "1.9-0")
"""The versions of AWS's scikit-learn images whose models are converted: those in `images/serving/requirements`.

sklearn-onnx knows scikit-learn from 1.1 on."""


def repository_name(environment: str) -> str:
    """The ECR repository of an environment's serving images."""
    return f"mw-{environment}-serving"
