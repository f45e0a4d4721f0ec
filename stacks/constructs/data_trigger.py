"""What new data start: where the pipeline watches for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelwright.config.structure import PipelineStructure
    from stacks.shared import Shared


@dataclass(frozen=True)
class Watched:
    """Where new data appear: the data source if that is a prefix in S3, else a part of the data bucket."""

    bucket: str
    prefix: str
    """It ends with a slash."""

    @property
    def uri(self) -> str:
        """`s3://bucket/prefix/`."""
        return f"s3://{self.bucket}/{self.prefix}"


def watched_data(structure: PipelineStructure, shared: Shared) -> Watched:
    """Return where the pipeline watches for new data, whether they start a run or not."""
    source = structure.external_data or ""
    if not source.endswith("/"):
        return Watched(shared.data_bucket, f"incoming/{structure.pipeline}/")
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    return Watched(bucket, prefix)
