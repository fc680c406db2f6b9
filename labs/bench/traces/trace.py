"""The trace: who held the event loop, and what everybody else waited for. One trace, one timeline.

A trace is a JSON file in `book/traces/`, or what `LoopTrace` has recorded, or what the simulator on
the page computes. `check_trace` reads one from anywhere; `bench.traces.building` makes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails

from bench.traces.looks import StateName


class TraceError(ValueError):
    """The trace does not follow the format. The message names the place and the reason."""


def _seconds(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is not a number")
    if not math.isfinite(value):
        raise ValueError("a time must be a finite number")
    if value < 0:
        raise ValueError(f"{value} is before the start of the trace")
    return value


Words = Annotated[StrictStr, Field(min_length=1)]
Seconds = Annotated[int | float, PlainValidator(_seconds)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True)


class Span(_Part):
    """A stretch of time in one state. It ends after it begins."""

    state: StateName
    begin: Seconds = Field(alias="from")
    end: Seconds = Field(alias="to")
    label: Words | None = None
    """What exactly, for example the query."""

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.begin >= self.end:
            raise ValueError(f"ends at {self.end}, but begins at {self.begin}")
        return self


class Lane(_Part):
    """One task or one request; its spans are in order and disjoint.

    It is done when its last span ends; a lane without spans never began.
    """

    name: Words
    spans: list[Span]
    error: Words | None = None
    """The error it ended with, such as InterfaceError; a cross marks its end."""

    @property
    def end(self) -> float:
        """When its last span ends; 0 for a lane that never began."""
        return self.spans[-1].end if self.spans else 0.0

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        before: float = 0.0
        for j, span in enumerate(self.spans):
            if span.begin < before:
                raise ValueError(
                    f"spans[{j}]: begins at {span.begin}, but the last one ends at {before}"
                )
            before = span.end
        return self


class Trace(_Part):
    """One timeline. Times are seconds from its start; no span ends after `duration`.

    No two lanes have the same name. Read one with `check_trace`; write one with `to_json`.
    """

    format: Literal["async-course/trace/1"] = Field(alias="schema")
    title: Words
    summary: Words
    """One sentence that says what happened: it stands before the timeline, as text alternative."""
    source: Literal["recorded", "simulated"]
    about: dict[str, StrictStr | StrictInt | StrictFloat | StrictBool]
    """How to repeat it: versions, date, command. Keys are free."""
    duration: Seconds
    lanes: list[Lane] = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.duration:
            raise ValueError("duration: must be above 0")
        names: set[str] = set()
        for i, lane in enumerate(self.lanes):
            if lane.name in names:
                raise ValueError(f"lanes[{i}]: a second lane is called {lane.name!r}")
            names.add(lane.name)
            if lane.end > self.duration:
                raise ValueError(
                    f"lanes[{i}].spans: ends at {lane.end}, after the duration {self.duration}"
                )
        return self

    def to_json(self) -> dict[str, Any]:
        """The trace as a dict in the trace format; `json.dumps` takes it as it is."""
        return self.model_dump(by_alias=True, exclude_none=True)


def check_trace(trace: Trace | Mapping[str, Any]) -> Trace:
    """The trace, typed. Raises `TraceError` unless it follows the format."""
    if isinstance(trace, Trace):
        return trace
    try:
        return Trace.model_validate(trace)
    except ValidationError as refused:
        raise TraceError(_reason(refused.errors(include_url=False)[0])) from None


def _reason(error: ErrorDetails) -> str:
    """The place as in JSONPath, and the reason: `$.lanes[0].name: 7 is not a string`."""
    steps = list(error["loc"])
    match error["type"]:
        case "missing":
            reason = f"{steps.pop()!r} is missing"
        case "extra_forbidden":
            reason = f"{steps.pop()!r} is unknown"
        case "literal_error":
            reason = f"{error['input']!r} is not one of {error['ctx']['expected']}"
        case "string_type":
            reason = f"{error['input']!r} is not a string"
        case "value_error":
            reason = str(error["ctx"]["error"])
        case _:
            reason = f"{error['msg']}, not {error['input']!r}"
    place = "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    inner = reason.startswith(("spans[", "lanes[", "duration:"))
    return f"{place}.{reason}" if inner else f"{place}: {reason}"
