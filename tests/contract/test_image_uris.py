"""Our reading of sagemaker-core's tables agrees with its own."""

from __future__ import annotations

import pytest

from modelwright.config.images import image_regions, image_uri, image_versions


@pytest.mark.parametrize("scope", ["training", "inference"])
def test_the_uris_are_those_of_sagemaker_core(scope: str) -> None:
    retrieve = pytest.importorskip("sagemaker.core.image_uris").retrieve
    compared = 0
    for version in image_versions("sklearn"):
        for region in image_regions("sklearn", version):
            expected = retrieve(
                "sklearn", region, version, py_version="py3", instance_type="ml.m5.large", image_scope=scope
            )
            assert image_uri("sklearn", version, region, "ml.m5.large", scope) == expected
            compared += 1
    assert compared > 100
