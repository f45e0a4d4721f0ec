from __future__ import annotations

from botocore.loaders import Loader

from modelwright.config.instances import instance_families, instance_problem

SHAPES = {
    "training": "TrainingInstanceType",
    "processing": "ProcessingInstanceType",
    "hosting": "ProductionVariantInstanceType",
    "transform": "TransformInstanceType",
}


def test_the_table_is_botocores() -> None:
    """When this fails after an upgrade of boto3: make the table anew from these shapes."""
    shapes = Loader().load_service_model("sagemaker", "service-2")["shapes"]
    for purpose, shape in SHAPES.items():
        table = {f"ml.{family}.{size}" for family, sizes in instance_families(purpose).items() for size in sizes}
        assert table == set(shapes[shape]["enum"])


def test_a_type_of_another_purpose_is_refused() -> None:
    assert instance_problem("ml.t2.medium", "hosting") is None
    assert instance_problem("ml.m7i-flex.large", "training") is None
    assert (
        instance_problem("ml.t2.medium", "training") == "is 'ml.t2.medium'; SageMaker has no t2 for training, but t3."
    )
    assert "has no x9 for training, but c4, c5," in str(instance_problem("ml.x9.large", "training"))
