"""Definitions, parsed: a state when it is first needed, and once. Parsing takes longer than most executions run."""

from __future__ import annotations

import json
import threading
from functools import lru_cache
from typing import Any, Final

from moto.stepfunctions.parser.asl.component.common.flow.start_at import StartAt
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException

from modelwright.local.stepfunctions.fields import name_fields
from modelwright.local.stepfunctions.install import install

_parsing: Final = threading.RLock()
"""the parser's tables are shared, and grow as it works"""


class InvalidDefinition(Exception):  # noqa: N818  # AWS's name
    """The definition is not one; `problems` say why, each with its place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def program_of(definition: str) -> Any:
    """Give the program of a definition; it keeps no state, so many executions share it.

    Raises InvalidDefinition for what stands around the states; a state's own mistakes are found by `check_grammar`.
    """
    install()
    with _parsing:
        return _program(definition)


def check_grammar(definition: str) -> None:
    """Parse the whole definition; InvalidDefinition with every state that cannot be."""
    states = program_of(definition).states.states
    problems: list[str] = []
    for name in states.names():
        try:
            states.get(name)
        except InvalidDefinition as error:
            problems += [f"{problem} at /States/{name}" for problem in error.problems]
    if problems:
        raise InvalidDefinition(problems)


def parse_next(definition: str) -> bool:
    """Parse one more state, for who waits anyway; False when there is none, or another does it."""
    if not _parsing.acquire(blocking=False):
        return False
    try:
        done: bool = _program(definition).states.states.parse_next()
    finally:
        _parsing.release()
    return done


@lru_cache(maxsize=64)
def _program(definition: str) -> Any:
    machine = json.loads(definition)
    around = {**machine, "StartAt": "S", "States": {"S": {"Type": "Succeed"}}}
    program = _parsed(around)
    program.start_at = StartAt(start_at_name=machine["StartAt"])
    program.states.states = _States(machine)
    return program


class _States:
    """The states of a machine by name, in place of moto's dictionary; each is parsed when it is asked for."""

    def __init__(self, machine: dict[str, Any]) -> None:
        self._texts: dict[str, Any] = machine["States"]
        self._language = {"QueryLanguage": machine["QueryLanguage"]} if "QueryLanguage" in machine else {}
        self._ready: dict[str, Any] = {}

    def names(self) -> list[str]:
        """Give the names of the states, in the definition's order."""
        return list(self._texts)

    def get(self, name: str, default: Any = None) -> Any:
        """Give a state; InvalidDefinition when it cannot be parsed."""
        if name not in self._texts:
            return default
        if name not in self._ready:
            with _parsing:
                if name not in self._ready:
                    self._ready[name] = self._parse(name)
        return self._ready[name]

    def parse_next(self) -> bool:
        """Parse the first state that is not parsed; False when all are."""
        name = next((name for name in self._texts if name not in self._ready), None)
        return name is not None and self.get(name) is not None

    def _parse(self, name: str) -> Any:
        alone = _parsed({**self._language, "StartAt": name, "States": {name: self._texts[name]}})
        name_fields(alone.states)
        return alone.states.states[name]


def _parsed(machine: dict[str, Any]) -> Any:
    try:
        program, _ = AmazonStateLanguageParser.parse(json.dumps(machine))
    except ASLParserException as error:
        raise InvalidDefinition(error.errors) from error
    except Exception as error:  # moto's preprocessor raises whatever it meets
        raise InvalidDefinition([f"{type(error).__name__}: {error}"]) from error
    return program
