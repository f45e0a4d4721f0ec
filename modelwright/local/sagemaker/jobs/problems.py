"""Why a job ends before or after its container, in the words of FailureReason."""

from __future__ import annotations


class ClientProblem(Exception):  # noqa: N818 - AWS calls it ClientError, which boto3 has already
    """Trouble with the user's data, request or permissions: `ClientError: …`."""


class ContainerFailure(Exception):  # noqa: N818 - what it says is AWS's AlgorithmError
    """The container failed; the text is what lies in its failure file: `AlgorithmError: …`."""
