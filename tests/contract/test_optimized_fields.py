"""The fields of Step Functions' SageMaker integrations: real ones, each known from somewhere; the local cloud's own."""

import botocore.session
import pytest

from modelwright.local.stepfunctions.sagemaker_fields import FIELDS as LOCAL
from modelwright.local.stepfunctions.sagemaker_fields import JOBS
from modelwright.workflow.integration_fields import FIELDS, SOURCES

CALLS = [name for name in SOURCES if name]


def test_the_local_cloud_takes_exactly_what_is_checked():
    assert LOCAL is FIELDS


@pytest.mark.parametrize("call", CALLS)
def test_each_field_is_one_of_the_api_and_has_a_source(call):
    members = botocore.session.get_session().get_service_model("sagemaker").operation_model(call[0].upper() + call[1:])
    assert FIELDS[call] <= set(members.input_shape.members)
    assert set(SOURCES[call]) <= set(SOURCES[""])
    listed = [field for fields in SOURCES[call].values() for field in fields]
    assert len(listed) == len(set(listed))


def test_each_job_names_itself_and_can_be_waited_for():
    assert all(f"{kind}Name" in FIELDS[call] for call, kind in JOBS.items())
