"""Which instance types have disks of their own, encrypted by their hardware: a key for volumes is refused for them.

"You can't request a VolumeKmsKeyId when using an instance type with local storage":
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingClusterConfig.html
Of an endpoint, the page said that the call fails, and says today that the key "does not encrypt instance local
storage"; it is refused here all the same, so that nobody counts on it:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html (KmsKeyId)
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-store-volumes.html
"""

from __future__ import annotations

# Of the families that botocore's model of SageMaker has.
_FAMILIES = frozenset(
    {
        *("c5d", "c6gd", "dl1", "g4dn", "g5", "g6", "g6e", "g7", "g7e", "m5d", "m6gd", "p3dn", "p4d", "p4de"),
        *("p5", "p5e", "p5en", "p6-b200", "p6-b300", "p6e-gb200", "r5d", "r6gd", "r7gd", "trn1", "trn1n", "trn2"),
    }
)


def has_local_storage(instance_type: str) -> bool:
    """Whether `ml.<family>.<size>` has disks of its own."""
    return instance_type.split(".")[1] in _FAMILIES
