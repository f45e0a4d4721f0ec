"""When the template is made anew, when not, and what happens when it cannot be made. `app.py` is a script of ours."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from modelwright.client.deploys.synth import (
    FINGERPRINT,
    bundled_node,
    ensure_assembly,
    structure_fingerprint,
    synthesize,
)
from modelwright.errors import EnvironmentNotFound, SynthFailed

PROJECT = Path(__file__).resolve().parents[3]
APP = """
import os, pathlib, sys
out = pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir()
(out / "manifest.json").write_text(os.environ["MODELWRIGHT_ENV"])
with open("count", "a") as count:
    count.write("x")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the penguins' settings and an `app.py` that counts how often it runs."""
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "cdk.json").write_text('{"context": {"a": 1}}')
    for folder in ("stacks", "lambdas/train"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "code.py").write_text("x = 1\n")
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "dev.yaml").write_text("region: eu-central-1\n")
    (tmp_path / "environments" / "prod.yaml").write_text("region: us-east-1\n")
    folder = tmp_path / "training_code" / "penguins"
    folder.mkdir(parents=True)
    for path in (PROJECT / "training_code" / "penguins").rglob("*"):
        target = folder / path.relative_to(PROJECT / "training_code" / "penguins")
        if path.is_dir():
            target.mkdir(exist_ok=True)
        elif path.suffix != ".pyc":
            target.write_bytes(path.read_bytes())
    return tmp_path


def runs(root: Path) -> int:
    count = root / "count"
    return len(count.read_text()) if count.exists() else 0


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_it_is_made_once_when_nothing_changes(root: Path) -> None:
    first = ensure_assembly(root, "dev")
    assert ensure_assembly(root, "dev") == first == root / "cdk.out"
    assert runs(root) == 1


@pytest.mark.parametrize(
    "file", ["app.py", "cdk.json", "stacks/code.py", "lambdas/train/code.py", "environments/dev.yaml"]
)
def test_it_is_made_anew_when_what_it_depends_on_changes(root: Path, file: str) -> None:
    ensure_assembly(root, "dev")
    path = root / file
    path.write_text(path.read_text().rstrip("\n") + " \n")
    ensure_assembly(root, "dev")
    assert runs(root) == 2


def test_a_new_file_and_a_renamed_one_count_too(root: Path) -> None:
    before = structure_fingerprint(root, "dev")
    (root / "stacks" / "more.py").write_text("")
    added = structure_fingerprint(root, "dev")
    (root / "stacks" / "more.py").rename(root / "stacks" / "less.py")
    assert len({before, added, structure_fingerprint(root, "dev")}) == 3


def test_a_changed_hyperparameter_needs_no_other_template(root: Path) -> None:
    before = structure_fingerprint(root, "dev")
    settings = root / "training_code" / "penguins" / "pipeline.yaml"
    change(settings, "C: 1.0", "C: 2.5")
    assert structure_fingerprint(root, "dev") == before


def test_a_changed_structure_needs_one(root: Path) -> None:
    before = structure_fingerprint(root, "dev")
    change(root / "training_code" / "penguins" / "pipeline.yaml", "rate(7 days)", "rate(3 days)")
    assert structure_fingerprint(root, "dev") != before


def test_caches_beside_the_code_do_not_count(root: Path) -> None:
    before = structure_fingerprint(root, "dev")
    (root / "stacks" / "__pycache__").mkdir()
    (root / "stacks" / "__pycache__" / "code.cpython-311.pyc").write_bytes(b"x")
    assert structure_fingerprint(root, "dev") == before


def test_another_environment_has_another_template(root: Path) -> None:
    ensure_assembly(root, "dev")
    assembly = ensure_assembly(root, "prod")
    assert (assembly / "manifest.json").read_text() == "prod"
    assert runs(root) == 2


def test_an_environment_without_a_file_is_named(root: Path) -> None:
    with pytest.raises(EnvironmentNotFound, match=r"environments/pord\.yaml"):
        ensure_assembly(root, "pord")
    assert runs(root) == 0


def test_what_was_there_before_stays_when_it_cannot_be_made(root: Path) -> None:
    assembly = ensure_assembly(root, "dev")
    (root / "stacks" / "code.py").write_text("x = 2\n")
    (root / "app.py").write_text("raise ValueError('no such bucket: whales')\n")
    with pytest.raises(SynthFailed) as caught:
        ensure_assembly(root, "dev")
    assert str(caught.value).splitlines()[0] == "app.py could not make the template of dev:"
    assert 'app.py", line 1' in str(caught.value)
    assert str(caught.value).splitlines()[-1] == "ValueError: no such bucket: whales"
    assert (assembly / "manifest.json").read_text() == "dev"
    assert [path.name for path in (root / ".modelwright").iterdir()] == ["synth.lock"]


def test_jsiis_stack_is_left_out_of_the_reason(root: Path) -> None:
    javascript = "      at Kernel.invoke (/tmp/program.js:1:2)\n"
    (root / "app.py").write_text(
        f"import sys\nsys.stderr.write({javascript!r})\nraise RuntimeError('a name is taken')\n"
    )
    with pytest.raises(SynthFailed) as caught:
        ensure_assembly(root, "dev")
    assert "program.js" not in str(caught.value)
    assert str(caught.value).endswith("RuntimeError: a name is taken")


def test_what_app_itself_says_is_shown_as_it_is(root: Path) -> None:
    (root / "app.py").write_text("import sys\nsys.exit('environments/dev.yaml: region is missing.')\n")
    with pytest.raises(SynthFailed, match=r"environments/dev\.yaml: region is missing\."):
        ensure_assembly(root, "dev")


def test_a_half_made_template_is_made_again(root: Path) -> None:
    assembly = ensure_assembly(root, "dev")
    (assembly / FINGERPRINT).unlink()
    ensure_assembly(root, "dev")
    assert runs(root) == 2
    assert (assembly / FINGERPRINT).read_text() == structure_fingerprint(root, "dev")


def test_two_at_once_make_it_once(root: Path) -> None:
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(ensure_assembly(root, "dev"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [root / "cdk.out"] * 4
    assert runs(root) == 1


def test_the_app_gets_the_bundled_node_and_the_context(root: Path, tmp_path: Path) -> None:
    names = ("JSII_NODE", "CDK_CONTEXT_JSON", "CDK_VALIDATION", "PYTHONHASHSEED")
    (root / "app.py").write_text(f"import os\nfor name in {names!r}:\n    print(os.environ[name])\n")
    printed = synthesize(root, "dev", tmp_path / "out", {"PYTHONHASHSEED": "3"}, {"b": True}).splitlines()
    assert printed == [str(bundled_node()), '{"a": 1, "b": true}', "false", "3"]


def test_the_bundled_node_is_there() -> None:
    assert bundled_node().is_file()
