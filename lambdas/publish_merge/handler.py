"""CodeCommit's event: publish the release of the commit that a branch came to, and announce it on our bus.

The code that reads the settings and makes the release is the command line's own; how it comes into this function's
asset is in docs/adr/0009-merges-from-codecommit.md.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelwright.client.releases.release import Destination, Release, publish_release, release_of_extracted
from modelwright.config.environment_json import environment_from_json
from modelwright.errors import ModelwrightError
from modelwright.project import TRAINING_CODE
from publish_merge import domain
from publish_merge.folder import Place, read_folder
from shared.clients import client
from shared.env import read_env
from shared.log import log

ENVIRONMENT_FILE = Path(__file__).resolve().parents[1] / "environment.json"
"""The environment's settings as they were when this was deployed; the asset holds them."""


class EventRefused(Exception):
    """The bus did not take the announcement; PutEvents answers 200 all the same."""


@dataclass(frozen=True)
class Env:
    """What the template gives this function."""

    pipeline: str
    artifact_bucket: str
    event_bus_name: str
    topic_arn: str


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Publish and announce; tell the topic of a commit that cannot be released, which no retry would change.

    Everything else is raised: Lambda tries twice more, and then the event is a dead letter.
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
    """
    del context
    env = read_env(Env, os.environ)
    merge = domain.Merge.from_event(event)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            release = publish_release(client("s3"), _release(env, merge, Path(temporary)))
    except ModelwrightError as mistake:
        return _refuse(env, merge, str(mistake))
    announced = _announce(env, domain.announcement(merge, env.pipeline, release))
    log("merge announced", event=merge.event_id, commit=merge.commit, release=release, announced=announced)
    return {"status": "Announced", "commit": merge.commit, "release": release}


def _release(env: Env, merge: domain.Merge, temporary: Path) -> Release:
    """Make the release of the pipeline's folder at the commit."""
    environment = environment_from_json(ENVIRONMENT_FILE.read_text("utf-8"))
    folder = temporary / env.pipeline
    place = Place(merge.repository, merge.commit, f"{TRAINING_CODE}/{env.pipeline}")
    read_folder(client("codecommit"), place, folder)
    return release_of_extracted(folder, merge.commit, environment, Destination(environment.region, env.artifact_bucket))


def _announce(env: Env, detail: str) -> str:
    entry = {"EventBusName": env.event_bus_name, "Source": domain.SOURCE, "DetailType": domain.DETAIL_TYPE}
    (result,) = client("events").put_events(Entries=[{**entry, "Detail": detail}])["Entries"]
    if not result.get("EventId"):
        code, why = result.get("ErrorCode"), result.get("ErrorMessage")
        raise EventRefused(f"The bus {env.event_bus_name} refused the event: {code}: {why}")
    return str(result["EventId"])


def _refuse(env: Env, merge: domain.Merge, problem: str) -> dict[str, Any]:
    text = domain.refusal(merge, env.pipeline, problem)
    client("sns").publish(TopicArn=env.topic_arn, Subject=domain.refusal_subject(merge, env.pipeline), Message=text)
    log("merge refused", event=merge.event_id, commit=merge.commit, problem=problem)
    return {"status": "Refused", "commit": merge.commit, "problem": problem}
