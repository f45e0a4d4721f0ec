"""The model behind FastAPI, as one would write it well: typed rows, the prediction beside the event loop."""

from __future__ import annotations

import io
import json

import pandas as pd
from columns import Penguins
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ValidationError

app = FastAPI()
model = Penguins()


class Penguin(BaseModel):
    """One row."""

    species: str
    island: str
    bill_length_mm: float | None
    bill_depth_mm: float | None
    flipper_length_mm: float | None
    body_mass_g: float | None


class Rows(BaseModel):
    """A JSON request."""

    instances: list[Penguin]


@app.post("/invocations")
async def invocations(request: Request) -> Response:
    """Answer CSV without a header, or JSON."""
    body = await request.body()
    as_csv = request.headers.get("content-type", "").startswith("text/csv")
    answer = await run_in_threadpool(_from_csv if as_csv else _from_json, body)
    return Response(answer, media_type="application/json")


def _from_csv(body: bytes) -> str:
    try:
        rows = model.from_csv(io.BytesIO(body))
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    return json.dumps({"predictions": model.predict(rows)})


def _from_json(body: bytes) -> str:
    try:
        rows = Rows.model_validate_json(body).instances
    except ValidationError as error:
        raise HTTPException(422, error.errors(include_url=False, include_input=False)) from error
    return json.dumps({"predictions": model.predict(pd.DataFrame([row.__dict__ for row in rows]))})
