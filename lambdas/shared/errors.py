"""Errors whose class name a person meets as the execution's error, and whose text as its cause."""

from __future__ import annotations


class PipelineError(Exception):
    """Something that the person behind the run can put right. The text says what, where, and what is allowed."""


class InvalidInput(PipelineError):
    """The execution's input does not have the form of schema 1."""


class ReleaseNotFound(PipelineError):
    """The release that the input names does not exist, or is not what its name says."""


class DeployNeeded(PipelineError):
    """The release needs another structure than the one that is deployed."""


class RunLimitReached(PipelineError):
    """As many runs have started today as the environment's settings allow."""


class ReleaseTooLarge(PipelineError):
    """A part of the release is larger than what may travel through the state machine's variables."""


class InvalidOverride(PipelineError):
    """A hyperparameter override that the release does not know or SageMaker does not take."""
