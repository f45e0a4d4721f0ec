"""Whose a name is: decided by the name alone, in a policy's pattern as in the code."""

from __future__ import annotations

from hypothesis import assume, example, given
from hypothesis import strategies as st

from modelwright.config.read_environment import ENVIRONMENT_NAME
from modelwright.local.iam.patterns import Pattern
from modelwright.workflow.run_names import deployment_run, name_pattern, name_prefix

STEPS = ("process", "train", "evaluate")
Owner = tuple[str, str, str | None]

environments = st.from_regex(ENVIRONMENT_NAME, fullmatch=True)
words = st.text("abtrainpoces019", min_size=1, max_size=14)
pipelines = (
    st.lists(words | st.sampled_from(["train", "process", "evaluate"]), min_size=1, max_size=4)
    .map("-".join)
    .filter(lambda name: name[0].isalpha() and len(name) <= 20)
)
jobs = st.tuples(environments, pipelines, st.sampled_from(STEPS))
models = st.tuples(environments, pipelines, st.none())
tails = st.tuples(
    st.text("0123456789abcdef", min_size=12, max_size=12), st.text("0123456789", min_size=2, max_size=2)
).map("-".join)


def name_of(owner: Owner, tail: str) -> str:
    return name_prefix(*owner) + tail


def holds(pattern: str, name: str) -> bool:
    return Pattern(pattern, style="resource").matches(name, {})


@given(jobs | models, tails)
def test_a_pattern_holds_its_own_names(owner: Owner, tail: str) -> None:
    assert holds(name_pattern(*owner), name_of(owner, tail))


@given(st.tuples(jobs, jobs) | st.tuples(models, models), tails)
@example((("dev", "pen", None), ("dev", "pen-guins", None)), "0123456789ab-00")
@example((("dev", "pen", None), ("dev", "pen-abcdefghijkl", None)), "0123456789ab-00")
@example((("dev", "p", "train"), ("dev", "p-train-abcdefghijkl", "train")), "0123456789ab-00")
@example((("a", "b-train", "train"), ("a", "b", "train")), "0123456789ab-00")
def test_a_pattern_holds_no_name_of_another(pair: tuple[Owner, Owner], tail: str) -> None:
    """Also where one pipeline's name begins as the other's, or looks like a step or a run id. (A job and a model of one
    name are two things: a policy names the kind before the name.)
    """
    owner, other = pair
    assume(owner != other)
    assert not holds(name_pattern(*owner), name_of(other, tail))


@given(environments, pipelines, st.data(), tails)
def test_nor_does_that_of_a_pipeline_whose_name_begins_like_its_own(
    environment: str, pipeline: str, data: st.DataObject, tail: str
) -> None:
    rest = data.draw(pipelines)
    longer = f"{pipeline}-{rest}"
    steps = st.sampled_from(STEPS)
    mine, theirs = data.draw(st.tuples(steps, steps) | st.just((None, None)))
    assert not holds(name_pattern(environment, pipeline, mine), name_of((environment, longer, theirs), tail))


def test_a_run_is_read_from_its_models_name() -> None:
    assert deployment_run("dev", "pen", "dev-pen-0123456789ab-00") == "0123456789ab"


@given(jobs | models, tails)
@example(("prod", "pen", None), "0123456789ab-00")
@example(("dev", "pen", "train"), "0123456789ab-00")
def test_and_from_no_others(owner: Owner, tail: str) -> None:
    assume(owner != ("dev", "pen", None))
    assert deployment_run("dev", "pen", name_of(owner, tail)) is None
