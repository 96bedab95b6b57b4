"""Traces: the way of an update as spans, from the door to the answer of each tracker.

    update receive          the request or the poll that brought it
      update store          its commit to the inbox
        update process      the batch in which it was decided
          postback stage    one for each destination that is to hear of it
            postback attempt   each request to the tracker

A span carries numbers, kinds, states and durations. Nothing that people or trackers have
written, no address and no header is ever put into one.
"""

from __future__ import annotations

import enum
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from app.observability import trace_ids

if TYPE_CHECKING:  # services import this module
    from app.services.postbacks import AttemptRow, ClaimedPostback, NewPostback
    from app.services.updates.inbox import StoredUpdate, UpdateResult
    from app.services.updates.new_update import NewUpdate

Value = str | int | bool


class SpanKind(enum.StrEnum):
    """What a span is beside what it waits for, as OpenTelemetry names it."""

    SERVER = "server"
    PRODUCER = "producer"
    CONSUMER = "consumer"
    CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Span:
    """One finished span. Times are Unix seconds; `parent` is 0 for the first of its trace."""

    name: str
    kind: SpanKind
    trace: int
    parent: int
    id: int
    start: float
    end: float
    attributes: Mapping[str, Value]
    failed: bool = False


class Recorder(Protocol):
    """What sends spans to the collector; neither method waits for it."""

    def samples(self, trace: int) -> bool:
        """Whether the spans of this trace are kept, the same in every process."""

    def record(self, span: Span) -> None:
        """Take one span."""


#: Verdicts after which nothing is wrong.
_GOOD: Final = ("delivered", "duplicate")


class Traces:
    """Makes the spans of this process. While it is off, `on` is all that anybody may ask."""

    def __init__(self) -> None:
        self.on = False
        self._recorder: Recorder | None = None

    def start(self, recorder: Recorder | None) -> None:
        """Give spans to `recorder` from now on, or to nobody."""
        self._recorder = recorder
        self.on = recorder is not None

    def updates_stored(self, rows: Iterable[NewUpdate], began: float, *, polled: bool) -> None:
        """Tell of updates that were committed just now, by a call or a poll that began then."""
        end = time.time()
        for row in rows:
            if row.update_id is None:  # no update at all
                continue
            trace = trace_ids.of_update(row.bot_id, row.update_id)
            if self._skips(trace):
                continue
            root, span = trace_ids.of_span(trace, "receive"), trace_ids.of_span(trace, "store")
            about = {"gatepost.bot": row.bot_id, "gatepost.update": row.update_id}
            self._record(
                Span(
                    "update receive", SpanKind.SERVER, trace, 0, root, began, end,
                    {**about, "gatepost.polled": polled},
                )
            )  # fmt: skip
            self._record(
                Span(
                    "update store", SpanKind.PRODUCER, trace, root, span, row.received, end, about
                )
            )  # fmt: skip

    def batch_decided(
        self,
        updates: Sequence[StoredUpdate],
        results: Iterable[UpdateResult],
        reports: Iterable[NewPostback | ClaimedPostback],
        began: float,
    ) -> None:
        """Tell of a batch that was committed just now: its updates and the postbacks it staged."""
        end = time.time()
        states = {result.id: result.state for result in results}
        for update in updates:
            trace = trace_ids.of_update(update.bot_id, update.update_id)
            if self._skips(trace):
                continue
            state = states[update.id].name.lower()
            about: dict[str, Value] = {
                "gatepost.bot": update.bot_id,
                "gatepost.update": update.update_id,
                "gatepost.update.row": update.id,
                "gatepost.state": state,
                "gatepost.batch": len(updates),
            }
            self._record(
                Span(
                    "update process",
                    SpanKind.CONSUMER,
                    trace,
                    trace_ids.of_span(trace, "store"),
                    trace_ids.of_span(trace, "decide"),
                    began,
                    end,
                    about,
                    failed=state == "quarantined",
                )
            )
        self.postbacks_staged(reports, began, end)

    def postbacks_staged(
        self,
        reports: Iterable[NewPostback | ClaimedPostback],
        began: float,
        end: float | None = None,
    ) -> None:
        """Tell of postbacks that were committed just now."""
        end = end or time.time()
        for reported in reports:
            report = trace_ids.read_report(reported.event, reported.destination_id)
            if report is None or self._skips(report.trace):
                continue
            self._record(
                Span(
                    "postback stage",
                    SpanKind.PRODUCER,
                    report.trace,
                    report.parent,
                    report.span,
                    began,
                    end,
                    _about(reported, report),
                )
            )

    def attempted(self, claimed: ClaimedPostback, attempt: AttemptRow, failure: str = "") -> None:
        """Tell of one request to a tracker, or of none if its adapter built none."""
        report = trace_ids.read_report(claimed.event, claimed.destination_id)
        if report is None or self._skips(report.trace):
            return
        about: dict[str, Value] = {
            **_about(claimed, report),
            "gatepost.postback": claimed.id,
            "gatepost.tracker": claimed.tracker,
            "gatepost.occurrence": attempt.occurrence,
            "gatepost.try": attempt.number,
            "gatepost.verdict": attempt.verdict,
        }
        if attempt.step:
            about["gatepost.step"] = attempt.step
        if attempt.status is not None:
            about["http.response.status_code"] = attempt.status
        if failure:
            about["error.type"] = failure
        names = (report.span, attempt.occurrence, attempt.number, attempt.step)
        self._record(
            Span(
                "postback attempt",
                SpanKind.CLIENT,
                report.trace,
                report.span,
                trace_ids.of_span(report.trace, "attempt", *names, str(attempt.started)),
                attempt.started,
                attempt.started + attempt.ms / 1000,
                about,
                failed=attempt.verdict not in _GOOD,
            )
        )

    def _skips(self, trace: int) -> bool:
        return self._recorder is None or not self._recorder.samples(trace)

    def _record(self, span: Span) -> None:
        if self._recorder is not None:
            self._recorder.record(span)


def _about(
    reported: NewPostback | ClaimedPostback, report: trace_ids.StoredReport
) -> dict[str, Value]:
    return {
        "gatepost.account": reported.account_id,
        "gatepost.destination": reported.destination_id,
        "gatepost.lead": report.lead,
        "gatepost.event": report.kind,
        "gatepost.sequence": report.sequence,
    }


#: Of this process.
traces: Final = Traces()
