"""`modelwright diff`: what a deploy would change, with a stand-in for CDK and for the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fake_account import FakeAccount, Refusal
from fake_cdk import FakeCdk, fake_cdk

if TYPE_CHECKING:
    from pathlib import Path

    from command_line import Say


@pytest.mark.parametrize(
    ("differences", "arguments", "code", "last"),
    [
        (0, (), 0, "A deploy would change nothing."),
        (2, (), 0, "A deploy would change 2 of the stacks."),
        (2, ("--exit-code",), 3, "A deploy would change 2 of the stacks."),
        (0, ("--exit-code",), 0, "A deploy would change nothing."),
    ],
)
def test_diff_says_how_many_stacks_would_change(  # noqa: PLR0917 # a table
    say: Say,
    account: FakeAccount,
    deployable: Path,
    monkeypatch: pytest.MonkeyPatch,
    differences: int,
    arguments: tuple[str, ...],
    code: int,
    last: str,
) -> None:
    fake_cdk(deployable, monkeypatch, prints=f"Stack x\n✨  Number of stacks with differences: {differences}\n")
    found, out, _ = say("diff", *arguments)
    assert (found, out.splitlines()[-1]) == (code, last)


def test_diff_that_fails_is_no_difference(
    say: Say, account: FakeAccount, deployable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_cdk(deployable, monkeypatch, prints="no\n", code=1)
    code, _, err = say("diff", "--exit-code")
    assert code == 1
    assert err.startswith("error: What a deploy would change is not known: what CDK says stands above.\n")


def test_diff_with_expired_keys_says_so_and_asks_nothing(say: Say, account: FakeAccount, cdk: FakeCdk) -> None:
    account.answers["sts:GetCallerIdentity"] = Refusal("ExpiredToken", "The security token is expired", 403)
    code, _, err = say("diff")
    assert (code, err) == (
        1,
        (
            "error: AWS refuses these credentials (ExpiredToken): The security token is expired\nLog in again, "
            "for example with `aws sso login`.\n"
        ),
    )
    assert cdk.calls == []
