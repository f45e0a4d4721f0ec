"""SageMaker's container contract as pure functions: `/opt/ml`, hyperparameters, argv, `SM_*`, failures.

Nothing here touches a disk, a process or a clock: values in, values out. The facts are those of AWS's own toolkit
(`sagemaker-training` 5.1.4), against which `tests/contract/test_training_toolkit*.py` compare this package.
"""
