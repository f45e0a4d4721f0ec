"""The model that serves as ONNX: fetched by the registry's hash, converted, whole or not there at all."""

import json

from modelwright.serving.compiled.model import load_compiled
from modelwright.serving.model import Request


def test_the_champion_is_exported_and_answers_as_the_endpoint(up, place):
    target = up.root / "out" / "penguins"
    said = up.cli("export", "penguins", "--to", "onnx", "--output", str(target))
    assert "84 rows: same labels" in said
    assert "sex right in 91.67% (Python 91.67%)" in said
    assert sorted(path.name for path in target.iterdir()) == ["model.onnx", "report.json", "schema.json"]
    report = json.loads((target / "report.json").read_text())
    session, deployment = place
    key = {"pk": {"S": "PIPELINE#penguins"}, "sk": {"S": "CHAMPION"}}
    champion = session.client("dynamodb").get_item(TableName=deployment.table, Key=key)["Item"]
    assert (report["run"], report["model_package"]) == (champion["run"]["S"], champion["package_arn"]["S"])
    package = session.client("sagemaker").describe_model_package(ModelPackageName=report["model_package"])
    assert report["deployed"] == package["CustomerMetadataProperties"]["modelHash"]  # the files that serve
    body = (up.folder / "data" / "smoke.csv").read_bytes()
    model = load_compiled(target)
    answer = json.loads(model.run(model.prepare(Request(body, {"content-type": "text/csv"}))).body)
    assert [row["sex"] for row in answer["predictions"]] == [row["sex"] for row in up.predictions()["predictions"]]

    up.cli("export", "penguins", "--to", "onnx", "--output", str(target))  # an earlier export is replaced
    assert [path.name for path in target.parent.iterdir()] == ["penguins"]


def test_a_folder_with_other_files_is_left_alone(up):
    target = up.root / "mine"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    said = up.cli("export", "penguins", "--to", "onnx", "--output", str(target), code=2)
    assert "notes.txt, which no export wrote" in said
    assert [path.name for path in target.iterdir()] == ["notes.txt"]


def test_an_archive_that_is_not_the_registered_one_is_not_loaded(up, place):
    session, deployment = place
    s3 = session.client("s3")
    found = s3.list_objects_v2(Bucket=deployment.artifact_bucket, Prefix="models/penguins/")["Contents"]
    keys = {entry["Key"] for entry in found}
    whole = {key: s3.get_object(Bucket=deployment.artifact_bucket, Key=key)["Body"].read() for key in keys}
    try:
        for key in keys:
            s3.put_object(Bucket=deployment.artifact_bucket, Key=key, Body=b"\x1f\x8bother")
        said = up.cli("export", "penguins", "--to", "onnx", "--output", "refused", code=1)
    finally:
        for key, body in whole.items():
            s3.put_object(Bucket=deployment.artifact_bucket, Key=key, Body=body)
    assert "was expected; it is not loaded" in said
    assert not list(up.root.glob("*refused*"))
