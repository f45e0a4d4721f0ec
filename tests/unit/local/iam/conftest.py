from types import SimpleNamespace

import pytest
from iam_calls import (
    ACCOUNT,
    REGION,
)

from modelwright.clock import FakeClock
from modelwright.local.iam.authority import Authority


@pytest.fixture
def authority():
    return Authority(SimpleNamespace(account=ACCOUNT, region=REGION, clock=FakeClock()))
