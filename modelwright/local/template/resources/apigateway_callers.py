"""The keys and plans of those who call REST APIs, and the role that API Gateway writes logs with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelwright.local.apigateway.limits import Bucket
from modelwright.local.apigateway.records import Key, Plan
from modelwright.local.template.intrinsics import Physical
from modelwright.local.template.registry import Level, Resource, resource
from modelwright.local.template.resources.apigateway import api_id, api_service, wrong

if TYPE_CHECKING:
    from modelwright.local.cloud import Cloud


def _remove_key(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    api_service(cloud).forget_key(physical.id)


@resource(
    "AWS::ApiGateway::ApiKey",
    Level.ENFORCED,
    "lets in at the stages of its plans; its value is made here once, and kept between starts",
    remove=_remove_key,
)
def put_key(cloud: Cloud, resource: Resource) -> Physical:
    """What a caller shows."""
    resource.only("Description", "Enabled", "GenerateDistinctId", "Name", "Tags", "Value")
    service, id_ = api_service(cloud), api_id(resource)
    with service.lock:
        value = service.key_value(id_, resource.properties.get("Value"))
        service.keys[id_] = Key(id_, value, resource.properties, cloud.clock.time())
    return Physical(id_, {"APIKeyId": id_})


def _remove_plan(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    api_service(cloud).plans.pop(physical.id, None)


@resource(
    "AWS::ApiGateway::UsagePlan",
    Level.ENFORCED,
    "its rate, burst and daily quota hold for each of its keys; what was used is kept between starts",
    remove=_remove_plan,
)
def put_plan(cloud: Cloud, resource: Resource) -> Physical:
    """What one key may ask of which stages."""
    resource.only("ApiStages", "Description", "Quota", "Tags", "Throttle", "UsagePlanName")
    quota = resource.properties.get("Quota")
    if quota and quota.get("Period") != "DAY":
        raise wrong(resource, f"the local cloud counts by the day, not by {quota.get('Period')}")
    service, id_ = api_service(cloud), api_id(resource)
    with service.lock:
        keys = service.plans[id_].keys if id_ in service.plans else set()
        plan = Plan(id_, resource.properties, keys)
        service.plans[id_] = plan
        for key in keys:
            _give_bucket(cloud, plan, key)
    return Physical(id_, {"Id": id_})


def _give_bucket(cloud: Cloud, plan: Plan, key: str) -> None:
    throttle = plan.properties.get("Throttle")
    if throttle:
        plan.buckets[key] = Bucket(cloud.clock, throttle["RateLimit"], throttle["BurstLimit"])


def _remove_plan_key(cloud: Cloud, resource: Resource, physical: Physical) -> None:
    plan = api_service(cloud).plans.get(resource.required("UsagePlanId"))
    if plan:
        plan.keys.discard(resource.required("KeyId"))


@resource(
    "AWS::ApiGateway::UsagePlanKey",
    Level.ENFORCED,
    "without it a key lets nobody in",
    remove=_remove_plan_key,
)
def put_plan_key(cloud: Cloud, resource: Resource) -> Physical:
    """A key that a plan counts."""
    resource.only("KeyId", "KeyType", "UsagePlanId")
    service = api_service(cloud)
    with service.lock:
        plan, key = service.plan(resource.required("UsagePlanId")), resource.required("KeyId")
        plan.keys.add(key)
        _give_bucket(cloud, plan, key)
    return Physical(f"{key}:{plan.id}", {"Id": f"{key}:{plan.id}"})


@resource(
    "AWS::ApiGateway::Account",
    Level.RECORDED,
    "can be read; access logs are written here with no role's rights, whether or not the account has this role",
)
def put_account(cloud: Cloud, resource: Resource) -> Physical:
    """The role with which API Gateway writes logs; it stays when it is taken out of the template."""
    resource.only("CloudWatchRoleArn")
    api_service(cloud).log_role = resource.properties.get("CloudWatchRoleArn")
    return Physical(api_id(resource), {"Id": api_id(resource)})
