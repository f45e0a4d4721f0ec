"""`List…` calls: filters, order and pages, the same for every kind of SageMaker resource.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListEndpoints.html and its neighbours
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_PAGE = 10
"""AWS's own MaxResults when none is given"""


def page(
    found: Iterable[dict[str, Any]], params: Mapping[str, Any], name: str, order: str, status: str = ""
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return one page of `found` and what to add to the answer: a NextToken, or nothing on the last page.

    `name` is the member that NameContains and SortBy=Name look at, `order` the SortOrder when none is asked for, and
    `status` the member that SortBy=Status looks at.
    """
    kept = [item for item in found if _matches(item, params, name)]
    by = {"Name": name, "Status": status}.get(params.get("SortBy", "CreationTime"), "CreationTime")
    kept.sort(key=lambda item: (item[by], item.get("ModelPackageVersion", 0), item[name]))
    if params.get("SortOrder", order) == "Descending":
        kept.reverse()
    begin = _position(params.get("NextToken"))
    end = begin + params.get("MaxResults", DEFAULT_PAGE)
    return kept[begin:end], ({"NextToken": _token(end)} if end < len(kept) else {})


def _matches(item: Mapping[str, Any], params: Mapping[str, Any], name: str) -> bool:
    if params.get("NameContains", "").lower() not in item[name].lower():
        return False
    for member in ("CreationTime", "LastModifiedTime"):
        before, after = params.get(f"{member}Before"), params.get(f"{member}After")
        if (before is not None and item[member] >= before) or (after is not None and item[member] <= after):
            return False
    return True


def _token(position: int) -> str:
    return base64.urlsafe_b64encode(f"from:{position}".encode()).decode()


def _position(token: str | None) -> int:
    if token is None:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(token).decode().partition(":")
        if word == "from":
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise AwsError("ValidationException", "Invalid NextToken: it is not one that an earlier page gave.")
