"""The assets of an assembly: what `cdk deploy` uploads to the bootstrap bucket, read here where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .intrinsics import TemplateError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from modelwright.local.cloud import Cloud

    from .assembly import StackTemplate


class Assets:
    """Where each asset's files lie, by the bucket and key that the template names."""

    def __init__(self, cloud: Cloud) -> None:
        self._pseudo = {"${AWS::AccountId}": cloud.account, "${AWS::Region}": cloud.region, "${AWS::Partition}": "aws"}
        self._places: dict[tuple[str, str], Path] = {}

    def publish(self, stack: StackTemplate) -> None:
        """Take up the assets of one stack."""
        for asset in stack.assets:
            if not asset.source.exists():
                raise TemplateError(
                    f"{stack.name}: the asset {asset.source} is missing; `modelwright synth` writes it anew."
                )
            self._places[self._place(asset.bucket, asset.key)] = asset.source

    def path(self, code: Mapping[str, str]) -> Path:
        """The folder or file that `{S3Bucket, S3Key}` stands for."""
        place = (code.get("S3Bucket", ""), code.get("S3Key", ""))
        if place not in self._places:
            raise TemplateError(f"no asset of the assembly lies at s3://{place[0]}/{place[1]}.")
        return self._places[place]

    def _place(self, bucket: str, key: str) -> tuple[str, str]:
        for name, value in self._pseudo.items():
            bucket, key = bucket.replace(name, value), key.replace(name, value)
        return bucket, key
