"""`make aws-smoke`: deploy to a sandbox on AWS, run the sample pipeline whole, take everything away again.

Nobody of the authors could run it against AWS: they have no account. What is tested of it is everything but the deploy,
against the local cloud.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelwright.cli.main import FAILED, WRONG_INPUT
from modelwright.errors import ModelwrightError, WrongUsage
from modelwright.project import find_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelwright.config import Project

Command = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]
"""Runs the command line with these arguments, to its end."""

PIPELINE = "penguins"
_SAMPLE = f"training_code/{PIPELINE}/data/smoke.csv"
COSTS = """This makes things that cost money in account {account}, {region}, for about half an hour:
  six SageMaker jobs of a few minutes and one endpoint, on {instances}
  a KMS key, a table, three buckets and a state machine with its functions, alarms and a dashboard
At AWS's list prices that is below 1 USD, if the last step, which takes all of it away, succeeds.
https://aws.amazon.com/sagemaker/ai/pricing/"""


@dataclass(frozen=True)
class Step:
    """One command, and what its output has to hold."""

    name: str
    arguments: tuple[str, ...]
    accept: Callable[[str], str | None] = lambda _: None
    """What is wrong with the output, or None."""


@dataclass(frozen=True)
class Outcome:
    """How a step ended."""

    step: str
    seconds: float
    problem: str | None


def steps(where: tuple[str, ...], *, deploy: tuple[str, ...]) -> list[Step]:
    """Return what is tried, in order; `where` are the arguments that say where."""
    return [
        Step("deploy", deploy),
        Step("status", ("status", *where), _holds(PIPELINE)),
        Step("run", ("run", PIPELINE, "--json", *where), _ended("Deployed")),
        Step("predict", ("predict", PIPELINE, "--file", _SAMPLE, *where), _is_json),
        Step("logs", ("logs", "last", "TrainModel", *where)),
        Step("show", ("show", "last", *where), _holds("TrainModel")),
        Step("merge", ("emit", "merge", PIPELINE, "--json", *where), _ended("Deployed", "Rejected", "Unchanged")),
        Step("predict again", ("predict", PIPELINE, "--file", _SAMPLE, *where), _is_json),
        Step("runs", ("runs", PIPELINE, *where), _holds("Deployed")),
    ]


def removal(where: tuple[str, ...]) -> Step:
    """Return the last step, which is taken whatever became of the others."""
    return Step("destroy", ("destroy", "--all", "--data", "--yes", *where), _holds("verified: no stack of"))


def take(found: Sequence[Step], last: Step, command: Command) -> Iterator[Outcome]:
    """Take the steps until one fails, and then the last; yields how each ended."""
    for step in found:
        outcome = _take(step, command)
        yield outcome
        if outcome.problem:
            break
    yield _take(last, command)


def check(project: Project, account: str | None) -> None:
    """Raise when the environment is no sandbox, or the account is not the one that was meant."""
    settings = project.environment
    file = f"environments/{settings.name}.yaml"
    if settings.account is None or settings.account != account:
        said = f"says account {settings.account}" if settings.account else "names no account"
        raise WrongUsage(
            f"{file} {said}, and ACCOUNT is {account or 'not given'}.",
            f"Write the sandbox's account into {file}, and give the same: make aws-smoke ENV={settings.name} ACCOUNT=…",
        )
    if settings.removal != "destroy":
        raise WrongUsage(
            f"{file} says `removal: {settings.removal}`: what is made could not be taken away again.",
            "Make an environment of its own for this, with `removal: destroy`.",
        )
    project.pipeline(PIPELINE)


def costs(project: Project) -> str:
    """Return what it costs, to be read before."""
    found = project.pipeline(PIPELINE)
    jobs = (found.process, found.train, found.evaluate)
    instances = sorted({*(job.instance for job in jobs), found.deploy.instance or ""})
    return COSTS.format(
        account=project.environment.account,
        region=project.environment.region,
        instances=", ".join(name for name in instances if name),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Check, ask, take the steps, report."""
    parser = argparse.ArgumentParser(prog="make aws-smoke", description=__doc__)
    parser.add_argument("--env", required=True)
    parser.add_argument("--account", required=True)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    args = parser.parse_args(argv)
    from modelwright.config import load_project  # noqa: PLC0415 # not needed for `--help`

    try:
        if not (args.env and args.account):
            raise WrongUsage("A sandbox and its account are needed.", "make aws-smoke ENV=sandbox ACCOUNT=123456789012")
        project = load_project(find_root(), args.env)
        check(project, args.account)
        print(costs(project))
        if not args.yes and _answer("The account's number, to go on: ") != args.account:
            print("Nothing was made.", file=sys.stderr)
            return FAILED
    except ModelwrightError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_INPUT
    where = ("--aws", "--env", args.env)
    found = steps(where, deploy=("deploy", PIPELINE, "--yes", "--env", args.env))
    return report(take(found, removal(where), _modelwright))


def _answer(question: str) -> str:
    """What is typed; nothing where nobody can type."""
    print(question, end="", flush=True)
    return sys.stdin.readline().strip()


def report(outcomes: Iterator[Outcome]) -> int:
    """Print each as it ends; 1 when one failed."""
    failed = []
    for outcome in outcomes:
        print(f"{outcome.step:<14} {outcome.seconds:7.1f} s  {outcome.problem or 'ok'}", flush=True)
        failed += [outcome.step] if outcome.problem else []
    print(f"failed: {', '.join(failed)}" if failed else "everything went as it should; nothing is left")
    return FAILED if failed else 0


def _take(step: Step, command: Command) -> Outcome:
    begin = time.monotonic()
    found = command(step.arguments)
    problem = _last_line(found) if found.returncode else step.accept(found.stdout)
    return Outcome(step.name, time.monotonic() - begin, problem)


def _modelwright(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    print(f"$ modelwright {' '.join(arguments)}", flush=True)
    return subprocess.run(
        [sys.executable, "-m", "modelwright", *arguments], stdout=subprocess.PIPE, text=True, check=False
    )


def _last_line(found: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in f"{found.stdout or ''}\n{found.stderr or ''}".splitlines() if line.strip()]
    return f"exit {found.returncode}: {lines[-1] if lines else 'it said nothing'}"


def _holds(words: str) -> Callable[[str], str | None]:
    return lambda output: None if words in output else f"{words!r} is not in what it printed"


def _ended(*statuses: str) -> Callable[[str], str | None]:
    def accept(output: str) -> str | None:
        status = json.loads(output).get("status")
        return None if status in statuses else f"the run ended as {status}"

    return accept


def _is_json(output: str) -> str | None:
    try:
        json.loads(output)
    except ValueError:
        return f"the endpoint answered {output[:80]!r}"
    return None


if __name__ == "__main__":
    sys.exit(main())
