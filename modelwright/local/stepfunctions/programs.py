"""Definitions, parsed: once each, because parsing takes longer than most executions."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any, Final

from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException

from modelwright.local.stepfunctions.fields import name_fields
from modelwright.local.stepfunctions.install import install

_parsing: Final = threading.Lock()


class InvalidDefinition(Exception):  # noqa: N818  # AWS's name
    """The definition is not one; `problems` say why, each with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def program_of(definition: str) -> Any:
    """Give the program of a definition; it keeps no state, so many executions share it. InvalidDefinition if none."""
    install()
    with _parsing:  # the parser's tables are shared and grow as it works
        return _parsed(definition)


@lru_cache(maxsize=64)
def _parsed(definition: str) -> Any:
    try:
        program, _ = AmazonStateLanguageParser.parse(definition)
    except ASLParserException as error:
        raise InvalidDefinition(error.errors) from error
    except Exception as error:  # moto's preprocessor raises whatever it meets
        raise InvalidDefinition([f"{type(error).__name__}: {error}"]) from error
    name_fields(program.states)
    return program
