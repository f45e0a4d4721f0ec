"""What people write is loaded with its defaults, and all mistakes are told at once."""

from __future__ import annotations

import pytest

from modelwright.config import EnvironmentSettings, load_project
from modelwright.errors import EnvironmentNotFound, PipelineNotFound, SettingsError

FILE = "training_code/things/pipeline.yaml"


def test_a_right_project_is_loaded_with_its_defaults(project) -> None:
    loaded = project.load()
    assert loaded.environment == EnvironmentSettings("dev", "eu-central-1")
    things = loaded.pipeline("things")
    assert things.train.hyperparameters == {"C": 1.0}
    assert (things.train.instance_count, things.train.volume_gib, things.train.max_runtime_seconds) == (1, 10, 3600)
    assert (things.deploy.keep, things.triggers.merge_branch) == (3, "main")
    assert things.gate[0].number == 0.8


def test_all_problems_of_all_files_come_at_once(project) -> None:
    project.write("environments/dev.yaml", "regin: eu-central-1\nlogs: {retention_days: 31}\n")
    project.replace("script: train.py", "scrpt: train.py\n  instance_count: 0")
    project.replace("accuracy >= 0.80", "accuracy => 0.80")
    project.write("training_code/Other/pipeline.yaml", "")
    assert project.problems() == [
        "environments/dev.yaml:1: regin is not a known key; did you mean region?",
        "environments/dev.yaml:1: region is missing; it must be a region, like eu-central-1.",
        (
            "environments/dev.yaml:2: logs.retention_days is 31; CloudWatch Logs keeps 1, 3, 5, 7, 14, 30, 60, 90, 120,"
            " 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
        ),
        (
            "training_code/Other: the folder's name is 'Other' (5 characters); a pipeline's name must have at most 20"
            " lower-case letters, digits and single hyphens, a letter first and no hyphen last."
        ),
        "training_code/Other/pipeline.yaml: is empty; it must hold `key: value` lines.",
        f"{FILE}:4: train.script is missing; it must be a Python file of the pipeline's folder.",
        f"{FILE}:7: train.scrpt is not a known key; did you mean script?",
        f"{FILE}:8: train.instance_count is 0; it must be 1 or more.",
        f"{FILE}:12: gate[0] is 'accuracy => 0.80' with the operator '=>'; it must be one of >= <= == != > <.",
    ]


@pytest.mark.parametrize("repository", ["octo-org/octo.repo_1", "octo-org@123456/octo-repo@456789", "me_acme/it"])
def test_a_repository_on_github_is_written_as_in_its_tokens(project, repository: str) -> None:
    project.write("environments/dev.yaml", "region: eu-central-1\noidc_provider: create\n")
    project.replace("branch: main", f"github: {repository}, branch: main")
    assert project.load().pipelines["things"].triggers.merge_github == repository


def test_a_folder_without_inference_cannot_serve(project) -> None:
    (project.folder / "inference.py").unlink()
    functions = "model_fn, input_fn, predict_fn and output_fn"
    assert project.problems() == [f"training_code/things/inference.py: is missing; its {functions} serve the model."]


def test_a_missing_section_is_one_problem(project) -> None:
    text = (project.folder / "pipeline.yaml").read_text()
    head, tail = text.index("train:"), text.index("evaluate:")
    project.write(FILE, text[:head] + text[tail:])
    assert project.problems() == [f"{FILE}:1: train is missing; it must be a mapping (`key: value` lines)."]


@pytest.mark.parametrize(("count", "right"), [(95, True), (96, False)])
def test_hyperparameters_leave_room_for_the_platforms_own(project, count: int, right: bool) -> None:
    project.replace("{C: 1.0}", "{" + ", ".join(f"h{i}: {i}" for i in range(count)) + "}")
    assert (project.problems() == []) is right


@pytest.mark.parametrize(("size", "right"), [(0, False), (1, True), (65536, True), (65537, False)])
def test_a_smoke_test_has_at_most_64_kib(project, size: int, right: bool) -> None:
    (project.folder / "data" / "smoke.csv").write_bytes(b"x" * size)
    assert (project.problems() == []) is right


@pytest.mark.parametrize("name", ["data", "my-data", "serving", "a--b", "a-", "1a", "a_b", "a" * 21])
def test_names_that_would_collide_or_be_refused_are_problems(project, name: str) -> None:
    project.folder.rename(project.folder.with_name(name))
    assert len(project.problems()) == 1
    assert f"training_code/{name}: the folder's name is '{name}'" in project.problems()[0]


@pytest.mark.parametrize("name", ["a", "penguins", "a-1-b", "a" * 20, "data-2"])
def test_other_names_are_right(project, name: str) -> None:
    project.folder.rename(project.folder.with_name(name))
    assert list(project.load().pipelines) == [name]


def test_a_folder_without_a_pipeline_file_is_a_problem_and_the_misnamed_file_is_found(project) -> None:
    project.write("training_code/new/train.py", "")
    (project.folder / "pipeline.yaml").rename(project.folder / "pipeline.yml")
    assert project.problems() == [
        "training_code/new/pipeline.yaml: is missing.",
        f"{FILE}: is missing; found pipeline.yml, which must be named pipeline.yaml.",
    ]


def test_hidden_folders_caches_and_empty_folders_are_no_pipelines(project) -> None:
    for name in (".git", "__pycache__"):
        project.write(f"training_code/{name}/x", "x")
    (project.root / "training_code" / "left").mkdir()
    assert list(project.load().pipelines) == ["things"]


def test_arguments_are_a_list_or_a_mapping(project) -> None:
    project.replace("{script: process.py, ", "{arguments: {fraction: 0.5, flag: true, name: a b}, script: process.py, ")
    project.replace("{script: evaluate.py, ", "{arguments: ['-v', 1e-3, x], script: evaluate.py, ")
    things = project.load().pipeline("things")
    assert things.process.arguments == ("--fraction", "0.5", "--flag", "true", "--name", "a b")
    assert things.evaluate.arguments == ("-v", "0.001", "x")


@pytest.mark.parametrize("value", ["1", "[[1]]", "{a: }", "{'a b': 1}", f"[{'x' * 257}]", '["a\\nb"]'])
def test_arguments_that_sagemaker_would_refuse_are_problems(project, value: str) -> None:
    project.replace("{script: process.py, ", f"{{arguments: {value}, script: process.py, ")
    assert len(project.problems()) == 1


def test_a_model_can_be_registered_without_an_endpoint(project) -> None:
    project.replace("{endpoint: realtime, instance: ml.t2.medium, smoke_test: data/smoke.csv}", "{endpoint: none}")
    deploy = project.load().pipeline("things").deploy
    assert (deploy.endpoint, deploy.instance, deploy.smoke_test) == ("none", None, None)


def test_a_region_without_the_image_is_a_problem(project) -> None:
    project.write("environments/dev.yaml", "region: ap-southeast-6\n")
    assert "AWS has no image of it in ap-southeast-6, the environment's region." in project.problems()[0]


def test_unknown_pipelines_and_environments_name_the_nearest(project) -> None:
    with pytest.raises(PipelineNotFound, match=r"There is no pipeline 'thigns'.*\nDid you mean things?"):
        project.load().pipeline("thigns")
    for name in ("dve", "../dev", "x/../dev"):
        with pytest.raises(
            EnvironmentNotFound, match=r"There is no environments/.*\n(Did you mean|Known environments:) dev"
        ):
            load_project(project.root, name)


def test_the_error_counts_its_problems(project) -> None:
    project.replace("script: train.py", "script: none.py")
    with pytest.raises(SettingsError) as raised:
        project.load()
    assert (
        str(raised.value) == f"1 problem in the settings:\n  {FILE}:7: train.script is 'none.py', which does not exist."
    )


def test_one_pipelines_mistake_need_not_hide_the_others(project) -> None:
    project.write("training_code/wrong/pipeline.yaml", "gate: 5\n")
    found = load_project(project.root, leave_out_wrong=True)
    assert (list(found.pipelines), list(found.left_out)) == (["things"], ["wrong"])
    with pytest.raises(SettingsError) as refused:
        found.pipeline("wrong")
    assert set(refused.value.problems) == set(found.left_out["wrong"])
    with pytest.raises(SettingsError):
        load_project(project.root)


def test_a_wrong_environment_is_never_left_out(project) -> None:
    project.write("environments/dev.yaml", "region: nowhere\n")
    with pytest.raises(SettingsError):
        load_project(project.root, leave_out_wrong=True)
