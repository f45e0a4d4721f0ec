"""What serves a deployed model: the compiled one; its script where that answers otherwise; else nothing."""

import json

import pytest

MEASUREMENTS = 'make_pipeline(SimpleImputer(strategy="median"), StandardScaler())'
FOREST = "RandomForestClassifier(n_estimators=int(max_iter / 100), random_state=0)"
CLASSIFIER = "LogisticRegression(C=c, max_iter=max_iter)"


@pytest.fixture
def forest(up):
    """The sample with a random forest that gets missing values itself: sklearn-onnx sends them another way."""
    up.edit("train.py", MEASUREMENTS, '"passthrough"')
    up.edit("train.py", CLASSIFIER, FOREST)
    imports = "from sklearn.linear_model import LogisticRegression"
    up.edit("train.py", imports, "from sklearn.ensemble import RandomForestClassifier")
    return up


def champion(place):
    session, deployment = place
    key = {"pk": {"S": "PIPELINE#penguins"}, "sk": {"S": "CHAMPION"}}
    found = session.client("dynamodb").get_item(TableName=deployment.table, Key=key)["Item"]
    return {name: value.get("S") for name, value in found.items()}


def serving(place):
    """The container that the endpoint runs, and what the registry says of the package."""
    session, deployment = place
    sagemaker = session.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName=deployment.endpoint_name)["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    container = sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]
    package = sagemaker.describe_model_package(ModelPackageName=champion(place)["package_arn"])
    return container, package["CustomerMetadataProperties"]


def schema(place, sha256):
    session, deployment = place
    key = f"models/penguins/{sha256}/schema.json"
    return json.loads(session.client("s3").get_object(Bucket=deployment.artifact_bucket, Key=key)["Body"].read())


def test_the_deployed_model_is_compiled(up, place):
    container, about = serving(place)
    assert "/mw-dev-serving:serve-" in container["Image"]
    assert container["Environment"]["MODELWRIGHT_MODEL_SHA256"] == about["modelHash"] == champion(place)["model_sha256"]
    assert container["ModelDataUrl"].endswith(f"/models/penguins/{about['modelHash']}/model.tar.gz")
    assert (about["serve"], champion(place)["serve"]) == ("onnx", "onnx")
    assert about["pythonHash"] != about["modelHash"]
    found = schema(place, about["modelHash"])
    assert [column["name"] for column in found["columns"]][:2] == ["species", "island"]
    assert len(up.predictions()["predictions"]) == 6
    shown = up.cli("show", "last")
    assert "compiled: the model answers the same as its script" in shown
    assert "BuildServingImage" in shown


def test_the_images_are_built_once(up, place):
    assert up.run("-p", "C=0.8")["status"] == "Deployed"
    shown = up.cli("show", "last")
    assert "FindServingImage" in shown
    assert "BuildServingImage" not in shown


def test_a_model_that_would_answer_otherwise_is_served_by_its_script_and_the_run_says_so(forest, place):
    done = forest.run()
    assert done["status"] == "Deployed"
    assert done["model"]["serve"] == "python"
    assert "in rows without bill_length_mm" in done["model"]["reason"]
    assert "not compiled, its script serves it: The compiled model" in forest.cli("show", "last")
    container, about = serving(place)
    assert "/mw-dev-serving:python-" in container["Image"]
    assert about["serve"] == "python"
    assert about["modelHash"] == about["pythonHash"] == container["Environment"]["MODELWRIGHT_MODEL_SHA256"]
    assert len(schema(place, about["modelHash"])["columns"]) == 6  # learnt all the same
    assert len(forest.predictions()["predictions"]) == 6


def test_where_it_has_to_be_compiled_the_run_fails_with_the_reason_and_what_served_still_does(forest, place):
    before = champion(place)
    forest.edit("pipeline.yaml", "deploy: {", "deploy: {serve: onnx, ")
    done = forest.run("-p", "max-iter=1200", code=1)
    assert (done["status"], done["error"]) == ("Failed", "NotCompiled")
    assert "ChooseModel: deploy.serve is onnx, and the model is not compiled: The compiled model" in done["cause"]
    assert champion(place) == before
