"""EventBridge's API: buses, rules, targets, events.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING, Any

from modelwright.local.service import AwsError, Call

from .delivery import Delivery
from .patterns import check_pattern, matches
from .schedules import next_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelwright.local.cloud import Cloud

_FIRED = "schedule"
_LOOK_EVERY_SECONDS = 5.0
_ENTRY_LIMIT = 10


class Events:
    """The service `events`.

    A schedule fires by the cloud's clock while the local cloud is up; `fire` fires one at once. When a rate last fired
    is kept, so that a local cloud that is up now and then still keeps `rate(7 days)`.
    """

    name = "events"
    operations = frozenset(
        {
            "CreateEventBus",
            "DeleteEventBus",
            "DeleteRule",
            "DescribeRule",
            "ListEventBuses",
            "ListRules",
            "ListTargetsByRule",
            "PutEvents",
            "PutRule",
            "PutTargets",
            "RemoveTargets",
        }
    )
    falls_through = False

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = RLock()
        self._buses: set[str] = {"default"}
        self._rules: dict[tuple[str, str], dict[str, Any]] = {}
        self._ended = Event()
        self._pool = ThreadPoolExecutor(8, "event")
        self._ticker = Thread(target=self._tick, name="schedules", daemon=True)

    def start(self) -> None:
        """Schedules count from now on."""
        self._ticker.start()

    def stop(self) -> None:
        """Deliver nothing more."""
        self._ended.set()
        if self._ticker.is_alive():
            self._ticker.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _tick(self) -> None:
        while not self._ended.wait(_LOOK_EVERY_SECONDS):
            self.fire_due()

    def fire_due(self) -> list[str]:
        """Fire every schedule that is due by the cloud's clock, and tell which."""
        now = self._cloud.clock.now()
        with self._lock:
            due = [
                rule
                for rule in self._rules.values()
                if "ScheduleExpression" in rule and rule["State"] == "ENABLED" and self._is_due(rule, now)
            ]
        for rule in due:
            self._fire(rule)
        return [rule["Name"] for rule in due]

    def _is_due(self, rule: Mapping[str, Any], now: datetime) -> bool:
        try:
            return self._due(rule) <= now
        except ValueError:  # a cron whose last time is over
            return False

    def _due(self, rule: Mapping[str, Any]) -> datetime:
        kept = self._cloud.database.get(_FIRED, rule["Name"])
        if kept is None or kept["expression"] != rule["ScheduleExpression"]:
            kept = {"expression": rule["ScheduleExpression"], "at": self._cloud.clock.time()}
            self._cloud.database.put(_FIRED, rule["Name"], kept)
        return next_time(rule["ScheduleExpression"], datetime.fromtimestamp(kept["at"], UTC))

    def fire(self, target: str) -> str | None:
        """Fire the schedule that has this target, due or not; the event's id, None without such a rule."""
        with self._lock:
            rules = [rule for rule in self._rules.values() if "ScheduleExpression" in rule]
        for rule in rules:
            if any(entry["Arn"] == target for entry in rule["Targets"].values()):
                return self._fire(rule)
        return None

    def _fire(self, rule: Mapping[str, Any]) -> str:
        self._cloud.database.put(
            _FIRED, rule["Name"], {"expression": rule["ScheduleExpression"], "at": self._cloud.clock.time()}
        )
        event = self._completed(
            {
                "source": "aws.events",
                "detail-type": "Scheduled Event",
                "resources": [self._rule_arn(rule)],
                "detail": {},
            }
        )
        self._deliver(rule, event)
        return str(event["id"])

    def publish(self, event: dict[str, Any], bus: str = "default") -> str:
        """Put an event (`source`, `detail-type`, `resources`, `detail`) on a bus; its id. Delivered behind the call."""
        complete = self._completed(event)
        with self._lock:
            rules = [
                rule for rule in self._rules.values() if rule["EventBusName"] == bus and rule["State"] == "ENABLED"
            ]
        for rule in rules:
            if "EventPattern" in rule and matches(json.loads(rule["EventPattern"]), complete):
                self._deliver(rule, complete)
        return str(complete["id"])

    def _completed(self, event: dict[str, Any]) -> dict[str, Any]:
        time = event.get("time") or self._cloud.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "account": self._cloud.account,
            "time": time,
            "region": self._cloud.region,
            "resources": [],
            **{key: value for key, value in event.items() if key != "time"},
        }

    def _deliver(self, rule: Mapping[str, Any], event: dict[str, Any]) -> None:
        if self._ended.is_set():  # the local cloud ends: nobody takes what its last steps tell
            return
        known = {"name": rule["Name"], "arn": self._rule_arn(rule)}
        self._cloud.put_metric("AWS/Events", "TriggeredRules", 1, "Count", {"RuleName": rule["Name"]})
        for target in rule["Targets"].values():
            self._pool.submit(Delivery(self._cloud, known, target, event).run, self._ended)

    def _rule_arn(self, rule: Mapping[str, Any]) -> str:
        path = rule["Name"] if rule["EventBusName"] == "default" else f"{rule['EventBusName']}/{rule['Name']}"
        return f"arn:aws:events:{self._cloud.region}:{self._cloud.account}:rule/{path}"

    def handle(self, call: Call) -> dict[str, Any]:
        """Answer one request."""
        with self._lock:
            return {
                "CreateEventBus": self._create_bus,
                "DeleteEventBus": self._delete_bus,
                "DeleteRule": self._delete_rule,
                "DescribeRule": self._describe_rule,
                "ListEventBuses": self._list_buses,
                "ListRules": self._list_rules,
                "ListTargetsByRule": self._list_targets,
                "PutEvents": self._put_events,
                "PutRule": self._put_rule,
                "PutTargets": self._put_targets,
                "RemoveTargets": self._remove_targets,
            }[call.operation](call.params)

    def _bus_arn(self, name: str) -> str:
        return f"arn:aws:events:{self._cloud.region}:{self._cloud.account}:event-bus/{name}"

    def _create_bus(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["Name"] in self._buses:
            raise AwsError("ResourceAlreadyExistsException", f"Event bus {params['Name']} already exists.")
        self._buses.add(params["Name"])
        return {"EventBusArn": self._bus_arn(params["Name"])}

    def _delete_bus(self, params: dict[str, Any]) -> dict[str, Any]:
        self._buses.discard(params["Name"])
        return {}

    def _list_buses(self, params: dict[str, Any]) -> dict[str, Any]:
        names = sorted(name for name in self._buses if name.startswith(params.get("NamePrefix", "")))
        return {"EventBuses": [{"Name": name, "Arn": self._bus_arn(name)} for name in names]}

    def _bus(self, params: Mapping[str, Any], key: str = "EventBusName") -> str:
        name = str(params.get(key) or "default").rsplit("/", 1)[-1]
        if name not in self._buses:
            raise AwsError("ResourceNotFoundException", f"Event bus {name} does not exist.")
        return name

    def _rule(self, params: Mapping[str, Any], key: str) -> dict[str, Any]:
        place = (self._bus(params), params[key])
        if place not in self._rules:
            raise AwsError("ResourceNotFoundException", f"Rule {params[key]} does not exist on EventBus {place[0]}.")
        return self._rules[place]

    def _put_rule(self, params: dict[str, Any]) -> dict[str, Any]:
        bus = self._bus(params)
        try:
            check_pattern(json.loads(params.get("EventPattern", "{}")))
            if "ScheduleExpression" in params:
                next_time(params["ScheduleExpression"], self._cloud.clock.now())
        except ValueError as error:
            raise AwsError(
                "InvalidEventPatternException" if "EventPattern" in params else "ValidationException", str(error)
            ) from None
        before = self._rules.get((bus, params["Name"]), {})
        rule = {"State": "ENABLED", **params, "EventBusName": bus, "Targets": before.get("Targets", {})}
        self._rules[bus, params["Name"]] = rule
        if "ScheduleExpression" in rule:
            self._due(rule)  # counts from now
        return {"RuleArn": self._rule_arn(rule)}

    def _delete_rule(self, params: dict[str, Any]) -> dict[str, Any]:
        self._rules.pop((self._bus(params), params["Name"]), None)
        return {}

    def _described(self, rule: Mapping[str, Any]) -> dict[str, Any]:
        shown = ("Name", "Description", "EventPattern", "ScheduleExpression", "State", "EventBusName")
        return {**{key: rule[key] for key in shown if key in rule}, "Arn": self._rule_arn(rule)}

    def _describe_rule(self, params: dict[str, Any]) -> dict[str, Any]:
        return self._described(self._rule(params, "Name"))

    def _list_rules(self, params: dict[str, Any]) -> dict[str, Any]:
        bus, prefix = self._bus(params), params.get("NamePrefix", "")
        rules = [
            rule for rule in self._rules.values() if rule["EventBusName"] == bus and rule["Name"].startswith(prefix)
        ]
        return {"Rules": [self._described(rule) for rule in rules]}

    def _list_targets(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"Targets": list(self._rule(params, "Rule")["Targets"].values())}

    def _put_targets(self, params: dict[str, Any]) -> dict[str, Any]:
        rule = self._rule(params, "Rule")
        rule["Targets"] = {**rule["Targets"], **{target["Id"]: target for target in params["Targets"]}}
        return {"FailedEntryCount": 0, "FailedEntries": []}

    def _remove_targets(self, params: dict[str, Any]) -> dict[str, Any]:
        rule = self._rule(params, "Rule")
        rule["Targets"] = {key: target for key, target in rule["Targets"].items() if key not in params["Ids"]}
        return {"FailedEntryCount": 0, "FailedEntries": []}

    def _put_events(self, params: dict[str, Any]) -> dict[str, Any]:
        if len(params["Entries"]) > _ENTRY_LIMIT:
            raise AwsError(
                "ValidationException",
                f"PutEvents takes at most {_ENTRY_LIMIT} entries; found {len(params['Entries'])}.",
            )
        results = [self._put_event(entry) for entry in params["Entries"]]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def _put_event(self, entry: dict[str, Any]) -> dict[str, Any]:
        """One entry: its id, or an error; the others are taken all the same, as on AWS."""
        missing = [key for key in ("Source", "DetailType", "Detail") if not entry.get(key)]
        if missing:
            return {
                "ErrorCode": "InvalidArgument",
                "ErrorMessage": f"Parameter {missing[0]} is not valid. Reason: {missing[0]} is a required argument.",
            }
        if entry["Source"].startswith("aws."):  # what AWS's services say of themselves
            return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
        try:
            detail = json.loads(entry["Detail"])
        except json.JSONDecodeError:
            return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
        event = {
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "resources": entry.get("Resources", []),
            "detail": detail,
        }
        return {"EventId": self.publish(event, self._bus(entry))}
