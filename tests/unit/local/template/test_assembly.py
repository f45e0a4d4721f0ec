import json

import pytest

from modelwright.local.template.assembly import AssemblyError, read_assembly


def write(directory, artifacts, **files):
    (directory / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    for name, content in files.items():
        (directory / name.replace("__", ".")).write_text(json.dumps(content))


def stack(name, *needs):
    properties = {"templateFile": f"{name}.json", "stackName": name}
    return {"type": "aws:cloudformation:stack", "properties": properties, "dependencies": list(needs)}


def test_stacks_come_after_those_that_they_need(tmp_path):
    write(tmp_path, {"a": stack("a", "z"), "z": stack("z", "m"), "m": stack("m")}, a__json={}, z__json={}, m__json={})
    assert [found.name for found in read_assembly(tmp_path)] == ["m", "z", "a"]


def test_a_circle_is_named(tmp_path):
    write(tmp_path, {"a": stack("a", "b"), "b": stack("b", "a")}, a__json={}, b__json={})
    with pytest.raises(AssemblyError, match="a, b need each other in a circle"):
        read_assembly(tmp_path)


def test_assets_are_found_without_the_template_itself(tmp_path):
    destinations = {"here": {"bucketName": "b", "objectKey": "k.zip"}}
    files = {
        "1": {"source": {"path": "asset.1", "packaging": "zip"}, "destinations": destinations},
        "2": {
            "source": {"path": "a.json", "packaging": "file"},
            "destinations": {"here": {"bucketName": "b", "objectKey": "t"}},
        },
    }
    assets = {"type": "cdk:asset-manifest", "properties": {"file": "a.assets.json"}}
    (tmp_path / "a.assets.json").write_text(json.dumps({"files": files}))
    write(tmp_path, {"a": stack("a", "a.assets"), "a.assets": assets}, a__json={})
    (asset,) = read_assembly(tmp_path)[0].assets
    assert (asset.source, asset.zipped, asset.bucket, asset.key) == (tmp_path / "asset.1", True, "b", "k.zip")


def test_a_docker_image_is_refused(tmp_path):
    (tmp_path / "a.assets.json").write_text(json.dumps({"dockerImages": {"x": {}}}))
    assets = {"type": "cdk:asset-manifest", "properties": {"file": "a.assets.json"}}
    write(tmp_path, {"a": stack("a", "a.assets"), "a.assets": assets}, a__json={})
    with pytest.raises(AssemblyError, match="Docker image asset"):
        read_assembly(tmp_path)


def test_what_is_no_assembly_says_what_writes_one(tmp_path):
    with pytest.raises(AssemblyError, match="modelwright synth"):
        read_assembly(tmp_path)
