"""JSONata fields of a state: evaluated with bound values, their failures named and located as Step Functions does.

The wording of the causes is AWS's: "The JSONata expression '…' specified for the field 'Arguments/Input' returned
nothing (undefined)."
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final

from modelwright.local.stepfunctions import jsonata
from modelwright.local.stepfunctions.failures import query_failure, runtime_failure, type_name

if TYPE_CHECKING:
    from modelwright.local.stepfunctions.environment import LocalEnvironment

_STATES_MEMBERS: Final = ("input", "result", "errorOutput", "context")
MAX_WAIT_SECONDS: Final = 99_999_999


def evaluate_field(env: LocalEnvironment, expression: str, field: str) -> Any:
    """Give the value of the expression in this state, or raise its States.QueryEvaluationError."""
    where = f"The JSONata expression '{expression}' specified for the field '{field}'"
    try:
        value = jsonata.evaluate(expression, bindings(env, jsonata.references(expression)))
    except jsonata.QueryError as error:
        raise query_failure(env, field, f"{where} threw an error during evaluation. {error}") from None
    except jsonata.UnsupportedResult:
        raise query_failure(env, field, f"{where} returned an unsupported result type.") from None
    if value is jsonata.UNDEFINED:
        raise query_failure(env, field, f"{where} returned nothing (undefined).")
    return value


def bindings(env: LocalEnvironment, names: frozenset[str]) -> dict[str, Any]:
    """Give the values of the variables that are named: `$states`, as far as it is, and what was assigned."""
    store = env.variable_store
    scope = {**store._outer_scope, **store._inner_scope}  # noqa: SLF001  # moto has no other way to all of them
    bound = {name: scope[name] for name in names if name in scope}
    data = env.states._states_data  # noqa: SLF001  # moto's own accessors copy it all
    wanted = _STATES_MEMBERS if "states" in names else [m for m in _STATES_MEMBERS if f"states.{m}" in names]
    if wanted or any(name.startswith("states.") for name in names):
        bound["states"] = {member: data[member] for member in wanted if member in data}
    return bound


def expect(env: LocalEnvironment, component: Any, value: Any, wanted: str) -> Any:
    """Give the value when JSON's name of its type is `wanted`; else it is the query's failure."""
    if type_name(value) == wanted:
        return value
    raise query_failure(env, component.field, _unexpected(component, value, wanted))


def whole_number(env: LocalEnvironment, component: Any, value: Any, least: int) -> int:
    """Give a number of seconds: whole and in the limits of the language."""
    expect(env, component, value, "number")
    if value != int(value) or not least <= value <= MAX_WAIT_SECONDS:
        where = f"The JSONata expression '{component.expression}' specified for the field '{component.field}'"
        problem = f"{where} must give a whole number from {least} to {MAX_WAIT_SECONDS}, but gave {value}."
        raise query_failure(env, component.field, problem)
    return int(value)


def _unexpected(component: Any, value: Any, wanted: str) -> str:
    return (
        f"The JSONata expression '{component.expression}' specified for the field '{component.field}' returned an "
        f"unexpected result type. Expected '{wanted}', but was '{type_name(value)}' for value: {json.dumps(value)}"
    )


def eval_string_jsonata(self: Any, env: LocalEnvironment) -> None:
    """In place of `StringJSONata._eval_body`."""
    env.stack.append(evaluate_field(env, self.expression, self.field))


def eval_variable_sample(self: Any, env: LocalEnvironment) -> None:
    """In place of `StringVariableSample._eval_body`: `$variable.member` in a JSONPath state."""
    value = jsonata.evaluate(self.expression, bindings(env, jsonata.references(self.expression)))
    if value is jsonata.UNDEFINED:
        raise runtime_failure(env, f"The variable path '{self.expression}' could not be found.")
    env.stack.append(value)


def assigned_variables(self: Any) -> dict[str, str]:
    """In place of `VariableStore.get_assigned_variables`: each value as JSON text, strings too."""
    return {name: json.dumps(self.get(name), separators=(",", ":")) for name in sorted(self._declaration_tracing)}


def reset_states(self: Any, input_value: Any) -> None:
    """In place of `States.reset`: a result or an error that is not there is undefined, not null."""
    data = self._states_data
    data["input"] = copy.deepcopy(input_value)
    data.pop("result", None)
    data.pop("errorOutput", None)
