"""Every mistake that a user can make, one class each.

The command line prints `str(error)` and nothing else, so a message says what is wrong, where, what was found, and what
to do. Anything that is not a `ModelwrightError` is a fault of modelwright itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def nearest(word: str, known: Iterable[str], count: int = 1) -> list[str]:
    """Return those of `known` that a person who wrote `word` most likely meant, best first; at most `count`."""
    import difflib  # noqa: PLC0415 # imported when something is wrong only: a start has no time to lose

    by_folded = {name.casefold(): name for name in sorted(known)}
    found = difflib.get_close_matches(word.casefold(), list(by_folded), n=count, cutoff=0.65)
    return [by_folded[name] for name in found]


def names(values: Iterable[str], last: str = "and") -> str:
    """Return `values` as a sentence's list: `a, b and c`, with `last` as its last word but one."""
    found = list(values)
    return f" {last} ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def _did_you_mean(word: str, known: Sequence[str], kind: str) -> str:
    near = nearest(word, known, count=3)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"Known {kind}: {names(known)}." if known else f"There is none yet; `modelwright init {word}` makes one."


class ModelwrightError(Exception):
    """A mistake that its user can put right: a message, and perhaps a hint about the next step."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        """Say what is wrong in `message`, and in `hint` what to do about it."""
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """Return the message and, on a line of its own, the hint."""
        return f"{self.message}\n{self.hint}" if self.hint else self.message


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in one settings file."""

    file: str
    """The file as the user would name it: relative to the project root."""
    key: str
    """The dotted key, or an empty text for the file as a whole."""
    message: str
    """What was found and what is allowed, as the rest of a sentence that begins with the key."""
    line: int | None = None
    """The line in the file, from 1; None for what has no line, such as a missing file."""

    def __str__(self) -> str:
        """Return `file:line: key message`."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.key} {self.message}" if self.key else f"{where}: {self.message}"


class SettingsError(ModelwrightError):
    """Everything that is wrong in the settings, at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Report `problems`, of which there is at least one, by file and line."""
        if not problems:
            raise ValueError("a SettingsError without a problem")
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line or 0, p.key, p.message)))
        count = len(self.problems)
        head = "1 problem in the settings:" if count == 1 else f"{count} problems in the settings:"
        super().__init__("\n".join([head, *(f"  {problem}" for problem in self.problems)]))


class ProjectNotFound(ModelwrightError):
    """The working directory is in no modelwright project."""


class PipelineNotFound(ModelwrightError):
    """There is no pipeline of that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        """Name the pipelines that are most like `name`, or else all that are `known`."""
        super().__init__(f"There is no pipeline {name!r} in training_code/.", _did_you_mean(name, known, "pipelines"))
        self.name = name


class EnvironmentNotFound(ModelwrightError):
    """There is no environment file of that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        """Name the environments that are most like `name`, or else all that are `known`."""
        near = nearest(name, known, count=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else f"Known environments: {names(known) or 'none'}."
        super().__init__(f"There is no environments/{name}.yaml.", hint)
        self.name = name


class NameTaken(ModelwrightError):
    """Something of that name is already there and is not overwritten."""


class InvalidName(ModelwrightError):
    """A name that AWS or this project could not use."""


class InvalidOverride(ModelwrightError):
    """A `-p` that is not `name=value`, or names no hyperparameter of the pipeline."""


class InvalidInput(ModelwrightError):
    """An execution input or a release manifest that does not follow its schema."""


class BundleError(ModelwrightError):
    """A pipeline folder that cannot become a bundle: a link that leaves it, too large, nothing in it."""


class DataNotFound(ModelwrightError):
    """The data that a run was to use is not there."""


class CommitNotFound(ModelwrightError):
    """The commit is not in this repository, or the pipeline's folder is not in the commit."""


class NotARepository(ModelwrightError):
    """A commit was asked for where there is no git repository, or no git."""


class ReleaseNotFound(ModelwrightError):
    """There is no release of that id, and no other code is used in its place."""


class DeployNeeded(ModelwrightError):
    """The release needs roles, triggers or an endpoint that the deployed template does not have."""


class SynthFailed(ModelwrightError):
    """The template could not be made from the project's code and settings."""


class ChecksUnavailable(ModelwrightError):
    """A validator that `synth --check` needs could not be run: what did not run has not passed."""


class CdkUnavailable(ModelwrightError):
    """The CDK command line, which deploys, could not be installed."""


class DeployBusy(ModelwrightError):
    """Another deploy of the same environment is under way."""


class DeployFailed(ModelwrightError):
    """CloudFormation did not make or change a stack; the message names the resource and AWS's reason."""


class NotReady(ModelwrightError):
    """What a deploy needs is not there: `modelwright doctor --aws` tells it whole."""


class NotDeployed(ModelwrightError):
    """The pipeline has no stack in this environment."""


class RunNotFound(ModelwrightError):
    """There is no run of that id."""


class StateNotFound(ModelwrightError):
    """A run did not go through a state of that name."""


class RunFailed(ModelwrightError):
    """The execution ended as FAILED, TIMED_OUT or ABORTED."""


class PredictionFailed(ModelwrightError):
    """The endpoint did not answer a request with a prediction."""


class BatchFailed(ModelwrightError):
    """A batch transform job did not do all of its files."""


class ExportRefused(ModelwrightError):
    """The model that serves cannot be compiled, or would not answer as it does; nothing was written."""


class NoCredentials(ModelwrightError):
    """`--aws` was asked for, and no credentials were found or they have expired."""


class EventRefused(ModelwrightError):
    """The bus did not take an event, or the event started nothing."""


class WrongUsage(ModelwrightError):
    """An argument of the command line that cannot be meant so."""


class NotSupported(ModelwrightError):
    """Something that modelwright does not do (yet); the message names the nearest thing that it does."""


class StateUnusable(ModelwrightError):
    """The folder `.modelwright` cannot be read or written: no space, no right, of another version, damaged."""


class LocalCloudFailed(ModelwrightError):
    """The local cloud did not start, or ended while it was needed."""


class LocalCloudBusy(ModelwrightError):
    """The local cloud is used by another command and was not stopped."""
