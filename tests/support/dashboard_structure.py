"""What a dashboard's body may hold, as a JSON schema of AWS's page.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
Only the kinds of widgets and the properties that are used here: anything else fails, and is then looked up.
"""

from __future__ import annotations

from typing import Any

_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "number"}
_COLOUR = {"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}
_STAT = {"type": "string", "pattern": r"^(SampleCount|Average|Sum|Minimum|Maximum|p\d{1,2}(\.\d+)?)$"}
_ID = {"type": "string", "pattern": "^[a-z][a-zA-Z0-9_]*$"}


def _record(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


_AXIS = _record(label=_TEXT, min=_NUMBER, max=_NUMBER, showUnits={"type": "boolean"})
_RENDERING = _record(
    color=_COLOUR,
    label=_TEXT,
    period={"type": "integer", "minimum": 60, "multipleOf": 60},
    stat=_STAT,
    visible={"type": "boolean"},
    yAxis={"enum": ["left", "right"]},
    id=_ID,
    region=_TEXT,
)
_EXPRESSION = _record(
    ("expression",), expression=_TEXT, label=_TEXT, id=_ID, color=_COLOUR, visible={"type": "boolean"}
)
_METRIC = {
    "type": "array",
    "oneOf": [
        {"maxItems": 1, "minItems": 1, "items": _EXPRESSION},
        {"minItems": 2, "items": {"anyOf": [_TEXT, _RENDERING]}},
    ],
}
_LINE = _record(("value",), value=_NUMBER, label=_TEXT, color=_COLOUR, fill={"enum": ["above", "below", "none"]})
_GRAPH = _record(
    ("region", "metrics"),
    title=_TEXT,
    region=_TEXT,
    metrics={"type": "array", "maxItems": 500, "items": _METRIC},
    stat=_STAT,
    period={"type": "integer", "minimum": 60, "multipleOf": 60},
    stacked={"type": "boolean"},
    view={"enum": ["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]},
    yAxis=_record(left=_AXIS, right=_AXIS),
    annotations=_record(horizontal={"type": "array", "items": _LINE}),
)
_ALARMS = _record(
    ("alarms",),
    title=_TEXT,
    alarms={"type": "array", "minItems": 1, "maxItems": 100, "items": _TEXT},
    sortBy={"enum": ["default", "stateUpdatedTimestamp", "timestamp"]},
    states={"type": "array", "items": {"enum": ["ALARM", "INSUFFICIENT_DATA", "OK"]}},
)
_LOG = _record(
    ("region", "query"),
    title=_TEXT,
    region=_TEXT,
    query={"type": "string", "pattern": "^SOURCE '"},
    view={"enum": ["table", "timeSeries", "bar", "pie"]},
)
_MARKDOWN = _record(("markdown",), markdown=_TEXT, background={"enum": ["transparent", "solid"]})
_PROPERTIES = {"metric": _GRAPH, "alarm": _ALARMS, "log": _LOG, "text": _MARKDOWN}


def _widget(kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    return _record(
        ("type", "x", "y", "width", "height", "properties"),
        type={"const": kind},
        x={"type": "integer", "minimum": 0, "maximum": 23},
        y={"type": "integer", "minimum": 0},
        width={"type": "integer", "minimum": 1, "maximum": 24},
        height={"type": "integer", "minimum": 1, "maximum": 1000},
        properties=properties,
    )


SCHEMA = _record(
    ("widgets",),
    widgets={
        "type": "array",
        "maxItems": 500,
        "items": {"oneOf": [_widget(kind, properties) for kind, properties in _PROPERTIES.items()]},
    },
    start={"type": "string", "pattern": "^-(PT[0-9]+[MH]|P[0-9]+[DWM])$"},
    periodOverride={"enum": ["auto", "inherit"]},
)
