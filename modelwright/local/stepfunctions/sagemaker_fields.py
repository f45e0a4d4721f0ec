"""The fields that Step Functions' optimized SageMaker integrations take; botocore's model of the API knows more.

https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html listed the fields until it came to list the
calls only; two of training are known to work from https://github.com/aws/aws-step-functions-data-science-sdk-python
(issues 42: EnableManagedSpotTraining, 86: CheckpointConfig). A field that is not here is refused when the state machine
is created: SCHEMA_VALIDATION_FAILED, 'The field "X" is not supported by Step Functions'.
"""

from __future__ import annotations

from typing import Final

FIELDS: Final[dict[str, frozenset[str]]] = {
    "createEndpoint": frozenset({"EndpointConfigName", "EndpointName", "Tags"}),
    "createEndpointConfig": frozenset({"EndpointConfigName", "KmsKeyId", "ProductionVariants", "Tags"}),
    "createHyperParameterTuningJob": frozenset(
        {
            "HyperParameterTuningJobConfig",
            "HyperParameterTuningJobName",
            "Tags",
            "TrainingJobDefinition",
            "WarmStartConfig",
        }
    ),
    "createModel": frozenset(
        {
            "Containers",
            "EnableNetworkIsolation",
            "ExecutionRoleArn",
            "ModelName",
            "PrimaryContainer",
            "Tags",
            "VpcConfig",
        }
    ),
    "createProcessingJob": frozenset(
        {
            "AppSpecification",
            "Environment",
            "ExperimentConfig",
            "NetworkConfig",
            "ProcessingInputs",
            "ProcessingJobName",
            "ProcessingOutputConfig",
            "ProcessingResources",
            "RoleArn",
            "StoppingCondition",
            "Tags",
        }
    ),
    "createTrainingJob": frozenset(
        {
            "AlgorithmSpecification",
            "CheckpointConfig",
            "EnableManagedSpotTraining",
            "EnableNetworkIsolation",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
            "OutputDataConfig",
            "ResourceConfig",
            "RoleArn",
            "StoppingCondition",
            "Tags",
            "TrainingJobName",
            "VpcConfig",
        }
    ),
    "createTransformJob": frozenset(
        {
            "BatchStrategy",
            "Environment",
            "MaxConcurrentTransforms",
            "MaxPayloadInMB",
            "ModelName",
            "Tags",
            "TransformInput",
            "TransformJobName",
            "TransformOutput",
            "TransformResources",
        }
    ),
    "updateEndpoint": frozenset({"EndpointConfigName", "EndpointName"}),
}
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
