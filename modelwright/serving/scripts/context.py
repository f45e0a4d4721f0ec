"""What a script's function may be told about the request it works for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Context:
    """The last argument of a function that takes one more than it must.

    It answers the two calls that scripts for AWS's containers make of theirs, `system_properties` and
    `get_request_header`: https://github.com/aws/sagemaker-inference-toolkit
    """

    model_dir: str
    request_id: str = ""
    content_type: str = ""
    content_type_parameters: Mapping[str, str] = field(default_factory=dict)
    accept: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """in lower case; empty for `model_fn`"""

    @property
    def system_properties(self) -> dict[str, Any]:
        """What is known before any request: `model_dir`."""
        return {"model_dir": self.model_dir}

    @property
    def custom_attributes(self) -> str:
        """What the caller gave as InvokeEndpoint's CustomAttributes, or an empty text."""
        return self.headers.get("x-amzn-sagemaker-custom-attributes", "")

    def get_request_header(self, index: int, name: str) -> str | None:
        """Return a header of the request; `index` is that of the request in its batch, always 0 here."""
        return self.headers.get(name.lower()) if index == 0 else None
