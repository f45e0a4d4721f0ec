"""What goes into our own images, and what their tags say."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from modelwright.config.images import image_versions
from modelwright.workflow.serving_image import CONVERTED_FRAMEWORKS
from stacks.constructs import serving_image
from stacks.constructs.serving_image import FOLDER, stage

IMPORTED_AS = {"scikit-learn": "sklearn"}
LOCKED = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ]+)", re.MULTILINE)
_PROGRAMS = {
    "aws": """\
case "$*" in
    *get-login-password*) echo secret ;;
    *imageTag=serve-*) exit 0 ;;
    *) echo "An error occurred (ImageNotFoundException)" >&2; exit 1 ;;
esac
""",
    "docker": """\
case "$1" in
    login) cat > /dev/null ;;
    push) echo "push $2" >> "$LOG" ;;
    buildx)
        while [ $# -gt 0 ]; do
            case "$1" in --target) target=$2 ;; --tag) tag=$2 ;; --build-arg) argument=$2 ;; esac
            shift
        done
        echo "build --target $target --tag $tag --build-arg $argument" >> "$LOG"
        ;;
esac
""",
}
HASHED = re.compile(r"--hash=sha256:[0-9a-f]{64}")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("context")
    stage(folder)
    return folder


def locked(name: str) -> dict[str, str]:
    return dict(LOCKED.findall((FOLDER / "requirements" / f"{name}.txt").read_text()))


def imports(folder: Path) -> set[str]:
    """The names of all packages that the context's Python imports, at whatever level."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    return found


def test_the_content_alone_makes_the_hash(tmp_path: Path, context: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = stage(tmp_path / "one")
    assert first == stage(tmp_path / "two")
    assert re.fullmatch(r"[0-9a-f]{16}", first)
    other = tmp_path / "other"
    subprocess.run(["cp", "-r", str(FOLDER), str(other)], check=True)
    (other / "build.sh").write_text("true\n")
    monkeypatch.setattr(serving_image, "FOLDER", other)
    assert stage(tmp_path / "three") != first


def test_the_context_imports_nothing_of_ours_that_is_not_in_it(context: Path) -> None:
    ours = {name for name in imports(context) if name.split(".")[0] == "modelwright"}
    for name in ours:
        path = context / name.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), name


def test_what_is_imported_is_locked_with_hashes() -> None:
    """What only a script needs is not in the image that has none; what converts is in no image that serves."""
    server, script, compiled = {"msgspec", "numpy", "httptools", "uvloop"}, {"pandas", "joblib", "scikit-learn"}, "onnx"
    for target, needed in {
        "serve": server | {"onnxruntime"},
        "convert": server | script | {"onnxruntime", "skl2onnx", compiled},
        "python": server | script,
    }.items():
        for name in [target] if target == "serve" else [f"{target}-{version}" for version in CONVERTED_FRAMEWORKS]:
            text = (FOLDER / "requirements" / f"{name}.txt").read_text()
            assert len(LOCKED.findall(text)) <= len(HASHED.findall(text))
            assert needed <= set(locked(name)), name
            assert ("scikit-learn" in locked(name)) is (target != "serve")
            assert (compiled in locked(name)) is (target == "convert")


@pytest.mark.parametrize("version", CONVERTED_FRAMEWORKS)
def test_the_converter_has_the_scikit_learn_of_aws_s_image(version: str) -> None:
    assert version in image_versions("sklearn")
    number, patch = version.split("-")[:2]
    assert locked(f"convert-{version}")["scikit-learn"] == f"{number}.{patch}"


@pytest.mark.parametrize("version", CONVERTED_FRAMEWORKS)
def test_a_script_is_served_with_what_its_model_was_compared_with(version: str) -> None:
    converting = locked(f"convert-{version}")
    assert {name: converting[name] for name in locked(f"python-{version}")} == locked(f"python-{version}")


def test_the_libraries_that_read_models_are_those_of_the_tests() -> None:
    """What is compiled here is what is compiled there."""
    ours = dict(LOCKED.findall((Path(__file__).parents[2] / "requirements.txt").read_text()))
    for name in ("onnxruntime", "msgspec", "httptools"):
        assert locked("serve")[name] == ours[name]
    for name in ("onnxruntime", "skl2onnx", "onnx"):
        assert locked(f"convert-{CONVERTED_FRAMEWORKS[-1]}")[name] == ours[name]


def test_the_server_starts_from_the_context_alone(context: Path, tmp_path: Path) -> None:
    """With nothing of the project on the path; there is no model, so it says that and ends."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(context), "PYTHONNOUSERSITE": "1"}
    program = "import sys, modelwright; print(modelwright.__file__); from modelwright.serving.__main__ import main; "
    command = [
        sys.executable,
        "-c",
        f"{program}sys.exit(main(['--model-dir', {str(tmp_path / 'none')!r}, '--port', '0']))",
    ]
    done = subprocess.run(command, check=False, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert str(context) in done.stdout
    assert "There is no model folder" in done.stderr
    assert done.returncode == 1


def test_the_shell_scripts_are_well_formed() -> None:
    for path in FOLDER.glob("*.sh"):
        subprocess.run(["sh", "-n", str(path)], check=True)


def test_the_entry_point_serves_where_sagemaker_has_unpacked_the_model(context: Path, tmp_path: Path) -> None:
    """`docker run <image> serve`: for everybody on SageMaker's port; the server knows that it got no archive."""
    fake = tmp_path / "python3"
    fake.write_text('#!/bin/sh\necho "$@" "hash=${MODELWRIGHT_MODEL_SHA256-none}"\n')
    fake.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    environment = {"PATH": path, "TMPDIR": str(tmp_path), "MODELWRIGHT_MODEL_SHA256": "x"}
    done = subprocess.run(
        ["sh", str(context / "entrypoint.sh"), "serve"], check=True, env=environment, capture_output=True, text=True
    )
    (packages,) = (entry for entry in tmp_path.iterdir() if entry.is_dir())
    served = f"-m modelwright.serving --model-dir /opt/ml/model --packages {packages} --host 0.0.0.0"
    assert done.stdout == f"{served} hash=x\n"


REGISTRY = "1.dkr.ecr.eu-west-1.amazonaws.com/mw-dev-serving"


def build(folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `build.sh` with programs in place of Docker and AWS, which write into the folder's `log`."""
    (folder / "log").touch()
    for name, script in _PROGRAMS.items():
        (folder / name).write_text(f"#!/bin/sh\nLOG={folder}/log\n{script}")
        (folder / name).chmod(0o755)
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "REPOSITORY_URI": REGISTRY,
        "IMAGE_HASH": "0123",
        "FRAMEWORK": "1.9-0",
        "TARGETS": "serve convert python",
    }
    command = ["sh", str(FOLDER / "build.sh")]
    return subprocess.run(command, check=False, env=environment | more, capture_output=True, text=True)


@pytest.mark.parametrize("more", [{}, {"WANTED_HASH": "0123"}])
def test_the_build_makes_the_images_that_are_wanted_and_no_other(tmp_path: Path, more: dict[str, str]) -> None:
    """One of the images is there already, the others are pushed."""
    assert build(tmp_path, **more).returncode == 0
    assert (tmp_path / "log").read_text().splitlines() == [
        f"build --target convert --tag {REGISTRY}:convert-0123-sklearn-1.9-0 --build-arg FRAMEWORK=1.9-0",
        f"push {REGISTRY}:convert-0123-sklearn-1.9-0",
        f"build --target python --tag {REGISTRY}:python-0123-sklearn-1.9-0 --build-arg FRAMEWORK=1.9-0",
        f"push {REGISTRY}:python-0123-sklearn-1.9-0",
    ]


def test_a_run_of_before_a_deploy_does_not_take_other_images_for_its_own(tmp_path: Path) -> None:
    """It goes on with its old definition, and the project has the new content: its images would never be there."""
    done = build(tmp_path, WANTED_HASH="4567")
    assert done.returncode == 1
    assert "wants the images of 4567, and this project builds those of 0123" in done.stderr
    assert (tmp_path / "log").read_text() == ""
