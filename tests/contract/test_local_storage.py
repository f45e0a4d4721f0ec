"""Two trees say which instance types have disks of their own, and neither may import the other."""

from __future__ import annotations

import pytest
from botocore.session import get_session

from modelwright.config.local_storage import has_local_storage
from prepare_run.plan import has_nvme


def instance_types() -> list[str]:
    """Every type that SageMaker takes for a job or an endpoint."""
    model = get_session().get_service_model("sagemaker")
    names = ("TrainingInstanceType", "ProcessingInstanceType", "ProductionVariantInstanceType", "TransformInstanceType")
    return sorted({kind for name in names for kind in model.shape_for(name).enum})


def test_the_plan_gives_a_key_where_the_local_cloud_takes_one() -> None:
    assert {kind for kind in instance_types() if has_nvme(kind) != has_local_storage(kind)} == set()


@pytest.mark.parametrize("with_disks", [True, False])
def test_types_of_both_kinds_are_known(*, with_disks: bool) -> None:
    assert any(has_local_storage(kind) is with_disks for kind in instance_types())
