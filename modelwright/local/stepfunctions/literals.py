"""Strings of a definition: JSON's escapes mean what they mean in JSON."""

from __future__ import annotations

import json
from typing import Any

from moto.stepfunctions.parser.asl.antlr.runtime.ASLLexer import ASLLexer
from moto.stepfunctions.parser.asl.antlt4utils.antlr4utils import is_terminal
from moto.stepfunctions.parser.asl.component.common.assign.assign_template_value_terminal import (
    AssignTemplateValueTerminalLit,
)
from moto.stepfunctions.parser.asl.component.common.jsonata.jsonata_template_value_terminal import (
    JSONataTemplateValueTerminalLit,
)
from moto.stepfunctions.parser.asl.component.common.payload.payloadvalue.payloadvaluelit.payload_value_float import (
    PayloadValueFloat,
)


def string_of(parser_rule_context: Any) -> str | None:
    """In place of `Preprocessor._inner_string_of` and `from_string_literal`.

    The one leaves escapes as they are, the other reads them as Python's.
    """
    if is_terminal(parser_rule_context, ASLLexer.NULL):
        return None
    text: str = parser_rule_context.getText()
    return str(json.loads(text)) if text[:1] == '"' == text[-1:] else text


def assign_number(self: Any, ctx: Any) -> Any:  # noqa: ARG001  # a visitor's signature
    """In place of `visitAssign_template_value_terminal_float`: -1 is a whole number, not -1.0."""
    return AssignTemplateValueTerminalLit(value=json.loads(ctx.NUMBER().getText()))


def template_number(self: Any, ctx: Any) -> Any:  # noqa: ARG001  # as above
    """In place of `visitJsonata_template_value_terminal_float`."""
    return JSONataTemplateValueTerminalLit(value=json.loads(ctx.NUMBER().getText()))


def payload_number(self: Any, ctx: Any) -> Any:  # noqa: ARG001  # as above
    """In place of `visitPayload_value_float`."""
    return PayloadValueFloat(val=json.loads(ctx.NUMBER().getText()))
