"""docs/created.md is what the template says now."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelwright.client.checks.templates import Template, read_templates
from modelwright.client.platform_page import PAGE, platform_page

ROOT = Path(__file__).resolve().parents[2]
ADVICE = "it is stale: run `python -m modelwright.client.platform_page`"


def test_the_page_is_todays(assembly: Path) -> None:
    assert (ROOT / PAGE).read_text("utf-8") == platform_page(read_templates(assembly)), ADVICE


def test_a_type_that_nobody_described_is_an_error() -> None:
    body = {"Resources": {"Thing": {"Type": "AWS::New::Thing"}}}
    with pytest.raises(KeyError, match="AWS::New::Thing"):
        platform_page([Template("stack", Path("stack.json"), body)])


def test_each_grant_of_a_function_has_its_reason(assembly: Path) -> None:
    page = platform_page(read_templates(assembly))
    assert "| reads the champion's metrics | `dynamodb:GetItem`" in page
    assert "| Grant" not in page
    assert "| hand roles to sage maker | `iam:PassRole`" in page
