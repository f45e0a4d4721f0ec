"""SageMaker's runtime: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakerai.html."""

from __future__ import annotations

from modelwright.local.iam.actions.sagemaker import resource
from modelwright.local.iam.checks import Check, Mapper, Request


def _invoke(name: str) -> Mapper:
    def mapper(request: Request) -> list[Check]:
        model = request.text("TargetModel")
        return [
            Check(f"sagemaker:{name}", resource("Endpoint")(request), {"sagemaker:targetmodel": model} if model else {})
        ]

    return mapper


OPERATIONS: dict[str, Mapper] = {
    name: _invoke(name) for name in ("InvokeEndpoint", "InvokeEndpointAsync", "InvokeEndpointWithResponseStream")
}
