from __future__ import annotations

import pytest

from modelwright.config.images import dns_suffix, image_regions, image_uri, image_versions, region_problem
from modelwright.errors import NotSupported


def test_the_uri_is_that_of_the_region() -> None:
    uri = image_uri("sklearn", "1.9-0", "eu-central-1", "ml.m5.large", "training")
    assert uri == "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
    assert ".dkr.ecr.cn-north-1.amazonaws.com.cn/" in image_uri(
        "sklearn", "1.9-0", "cn-north-1", "ml.m5.large", "inference"
    )


def test_a_version_must_be_there_for_both_scopes() -> None:
    assert "1.9-0" in image_versions("sklearn")
    assert "1.4-2" not in image_versions("sklearn")


@pytest.mark.parametrize(
    "arguments",
    [
        ("sklearn", "1.4-2", "eu-central-1", "ml.m5.large", "inference"),
        ("sklearn", "1.9-0", "mars-north-1", "ml.m5.large", "inference"),
        ("sklearn", "1.9-0", "eu-central-1", "ml.g5.xlarge", "inference"),
        ("sklearn", "1.9-0", "eu-central-1", "ml.m6g.large", "inference"),
        ("pytorch", "2.6.0", "eu-central-1", "ml.m5.large", "training"),
    ],
)
def test_what_aws_has_no_image_of_is_an_error(arguments: tuple[str, str, str, str, str]) -> None:
    with pytest.raises(NotSupported):
        image_uri(*arguments)


def test_every_region_of_the_tables_has_a_domain() -> None:
    assert {dns_suffix(region) for region in image_regions("sklearn", "1.9-0")} >= {"amazonaws.com", "amazonaws.com.cn"}


def test_regions_are_botocores() -> None:
    assert region_problem("eu-central-1") is None
    assert "did you mean eu-central-1" in str(region_problem("eu-central1"))
