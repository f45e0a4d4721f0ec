"""The jobs that Step Functions waits for, how it hears of their end, and the fields that their calls take."""

from __future__ import annotations

from typing import Final

from modelwright.workflow.integration_fields import FIELDS

__all__ = ["FIELDS", "JOBS", "RULES"]

JOBS: Final[dict[str, str]] = {
    "createHyperParameterTuningJob": "HyperParameterTuningJob",
    "createProcessingJob": "ProcessingJob",
    "createTrainingJob": "TrainingJob",
    "createTransformJob": "TransformJob",
}
"""those with `.sync`, and what the API calls the job"""
RULES: Final[dict[str, str]] = {
    "HyperParameterTuningJob": "StepFunctionsGetEventsForSageMakerTuningJobsRule",
    "ProcessingJob": "StepFunctionsGetEventsForSageMakerProcessingJobsRule",
    "TrainingJob": "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    "TransformJob": "StepFunctionsGetEventsForSageMakerTransformJobsRule",
}
"""the managed rules by which Step Functions hears of a job's end: https://docs.aws.amazon.com/step-functions/latest/dg/sagemaker-iam.html"""
