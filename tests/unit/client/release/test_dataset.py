"""The data of a release: named by their content, sent by file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from released_project import FakeS3

from modelwright.client.releases.dataset import publish_dataset, read_dataset
from modelwright.errors import DataNotFound

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_of_data_is_sent_by_file_and_only_what_is_missing(tmp_path: Path) -> None:
    for name in ("a.csv", "sub/b.csv", "sub/c.csv", ".hidden"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    dataset = read_dataset(tmp_path, "things", "data")
    assert dataset.uri == f"s3://data/datasets/things/{dataset.sha256}/"
    s3 = FakeS3()
    assert publish_dataset(s3, dataset) == 3
    assert [key.rsplit(dataset.sha256 + "/")[1] for _, key in sorted(s3.objects)] == ["a.csv", "sub/b.csv", "sub/c.csv"]
    del s3.objects["data", dataset.prefix + "sub/b.csv"]
    assert publish_dataset(s3, dataset) == 1
    assert publish_dataset(s3, dataset) == 0


def test_a_datasets_name_is_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    (tmp_path / "b.csv").write_text("1")
    one, two = (read_dataset(tmp_path / name, "p", "data").sha256 for name in ("a.csv", "b.csv"))
    assert one == two
    before = read_dataset(tmp_path, "p", "data").sha256
    (tmp_path / "b.csv").rename(tmp_path / "c.csv")
    assert read_dataset(tmp_path, "p", "data").sha256 != before


def test_data_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    for name, text in (("none.csv", None), ("empty.csv", "")):
        if text is not None:
            (tmp_path / name).write_text(text)
        with pytest.raises(DataNotFound, match=name):
            read_dataset(tmp_path / name, "p", "data")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataNotFound, match="holds no data file"):
        read_dataset(tmp_path / "folder", "p", "data")
