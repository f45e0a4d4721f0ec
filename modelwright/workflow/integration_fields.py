"""The fields that Step Functions' optimized SageMaker integrations take; botocore's model of the API knows more.

A field that is not here is refused when the state machine is created: SCHEMA_VALIDATION_FAILED, 'The field "X" is not
supported by Step Functions'. `integration_fields.json` says of each field where it is known from.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCES: Final[Mapping[str, Mapping[str, list[str]]]] = json.loads(
    Path(__file__).with_suffix(".json").read_text("utf-8")
)
"""By call, the fields by where they are known from; under the key `""` what these sources are."""
FIELDS: Final[dict[str, frozenset[str]]] = {
    call: frozenset(field for fields in sources.values() for field in fields)
    for call, sources in SOURCES.items()
    if call
}
"""By call, the fields that it takes."""
