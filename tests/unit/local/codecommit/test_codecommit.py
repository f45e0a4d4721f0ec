"""The local CodeCommit: AWS's shapes and errors over a git repository, the working tree never looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from codecommit_repository import OWNER, commit, git, make_repository, service, write

from modelwright.local.service import AwsError, Call

if TYPE_CHECKING:
    from pathlib import Path

MODEL = botocore.session.get_session().get_service_model("codecommit")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = make_repository(tmp_path / "repository")
    files: dict[str, bytes | str] = {"README.md": b"hello\n", "src/a.py": b"1", "src/deep/b.py": b"22", "src/l": "a.py"}
    write(root, files)
    (root / "src" / "a.py").chmod(0o755)
    commit(root)
    return root


def ask(root: Path, operation: str, **params: Any) -> dict[str, Any]:
    answer = service(root).handle(Call("codecommit", operation, params, OWNER, "eu-central-1"))
    report = ParamValidator().validate(answer, MODEL.operation_model(operation).output_shape)
    assert not report.has_errors(), report.generate_report()
    return answer


def head(root: Path) -> str:
    return git(root, "rev-parse", "HEAD")


def test_a_folder_lists_what_is_in_it_and_no_deeper(repository: Path) -> None:
    found = ask(repository, "GetFolder", repositoryName="models", folderPath="/src/", commitSpecifier=head(repository))
    assert (found["commitId"], found["folderPath"]) == (head(repository), "src")
    assert found["treeId"] == git(repository, "rev-parse", "HEAD:src")
    (file,), (sub,), (link,) = found["files"], found["subFolders"], found["symbolicLinks"]
    assert (file["absolutePath"], file["relativePath"], file["fileMode"]) == ("src/a.py", "a.py", "EXECUTABLE")
    assert (sub["absolutePath"], sub["relativePath"]) == ("src/deep", "deep")
    assert (link["absolutePath"], link["fileMode"]) == ("src/l", "SYMLINK")
    root = ask(repository, "GetFolder", repositoryName="models", folderPath="")
    assert [entry["absolutePath"] for entry in root["files"]] == ["README.md"]


def test_a_file_is_the_commits_and_a_link_is_where_it_points(repository: Path) -> None:
    (repository / "README.md").write_text("the working tree")
    found = ask(repository, "GetFile", repositoryName="models", filePath="README.md")
    assert (found["fileContent"], found["fileSize"], found["fileMode"]) == (b"hello\n", 6, "NORMAL")
    assert ask(repository, "GetFile", repositoryName="models", filePath="src/l")["fileContent"] == b"a.py"
    assert ask(repository, "GetBlob", repositoryName="models", blobId=found["blobId"]) == {"content": b"hello\n"}


def test_a_commit_is_named_by_its_id_a_branch_a_tag_or_a_reference(repository: Path) -> None:
    first = head(repository)
    git(repository, "tag", "v1")
    write(repository, {"new.txt": b"n"})
    second = commit(repository)
    for specifier, wanted in (("main", second), ("refs/heads/main", second), ("HEAD", second), ("v1", first)):
        found = ask(repository, "GetFolder", repositoryName="models", folderPath="/", commitSpecifier=specifier)
        assert found["commitId"] == wanted
    assert ask(repository, "GetBranch", repositoryName="models", branchName="main")["branch"]["commitId"] == second
    about = ask(repository, "GetCommit", repositoryName="models", commitId=second)["commit"]
    assert (about["parents"], about["author"]["name"], about["message"].strip()) == ([first], "a", "more")
    assert ask(repository, "GetRepository", repositoryName="models")["repositoryMetadata"]["defaultBranch"] == "main"


@pytest.mark.parametrize(
    ("operation", "params", "code"),
    [
        ("GetFolder", {"folderPath": "nowhere"}, "FolderDoesNotExistException"),
        ("GetFolder", {"folderPath": "README.md"}, "FolderDoesNotExistException"),
        ("GetFolder", {"folderPath": "", "commitSpecifier": "0" * 40}, "CommitDoesNotExistException"),
        ("GetFile", {"filePath": "src"}, "FileDoesNotExistException"),
        ("GetFile", {"filePath": "none/at/all.py"}, "FileDoesNotExistException"),
        ("GetBranch", {"branchName": "nobody"}, "BranchDoesNotExistException"),
        ("GetCommit", {"commitId": "0" * 40}, "CommitIdDoesNotExistException"),
        ("GetBlob", {"blobId": "0" * 40}, "BlobIdDoesNotExistException"),
        ("GetRepository", {"repositoryName": "models.git"}, "InvalidRepositoryNameException"),
    ],
)
def test_errors_are_those_of_the_model(repository: Path, operation: str, params: dict[str, str], code: str) -> None:
    assert code in {shape.name for shape in MODEL.operation_model(operation).error_shapes}
    with pytest.raises(AwsError) as raised:
        ask(repository, operation, **{"repositoryName": "models", **params})
    assert raised.value.code == code


def test_an_id_in_short_and_an_option_of_git_are_no_commits(repository: Path) -> None:
    for specifier in (head(repository)[:12], "--all", "HEAD~0"):
        with pytest.raises(AwsError, match="CommitDoesNotExistException"):
            ask(repository, "GetFolder", repositoryName="models", folderPath="", commitSpecifier=specifier)


def test_paths_are_from_the_repositorys_root_wherever_the_project_lies(repository: Path) -> None:
    project = repository / "src"
    assert ask(project, "GetFolder", repositoryName="models", folderPath="src/deep")["folderPath"] == "src/deep"
    with pytest.raises(AwsError, match="FolderDoesNotExistException"):
        ask(project, "GetFolder", repositoryName="models", folderPath="deep")


def test_a_project_in_no_repository_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(
        AwsError, match="models does not exist: locally it is the git repository that the project is in"
    ):
        ask(tmp_path, "GetRepository", repositoryName="models")
