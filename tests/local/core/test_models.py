from __future__ import annotations

import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from moto.core.utils import get_service_model

from modelwright.local.calls.models import loader, share_with_moto


def test_it_knows_what_botocore_knows() -> None:
    assert list(loader().list_available_services("service-2")) == Loader().list_available_services("service-2")
    assert "sagemaker" in loader().list_available_services("waiters-2")
    assert "no-such-service" not in loader().list_available_services("service-2")
    with pytest.raises(UnknownServiceError):
        loader().load_service_model("no-such-service", "service-2")


def test_moto_shares_what_it_does_not_add_to() -> None:
    share_with_moto()
    get_service_model.cache_clear()
    shapes = get_service_model("logs")._service_description
    assert shapes is loader().load_service_model("logs", "service-2")
    own = get_service_model("s3")._service_description
    assert own is not loader().load_service_model("s3", "service-2")
