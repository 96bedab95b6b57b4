"""What the answers of ad platforms mean, in sentences that name the platform and repeat its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from plugins.contract import Outcome, Response, Verdict, outcome_by_status, translatable

#: A platform's own message is cut to this many characters.
MAX_MESSAGE: Final = 180


@dataclass(frozen=True, slots=True)
class PlatformOutcomes:
    """What the answers of one platform mean, in sentences that name it.

    A refused token or a missing right keeps the event and switches the destination off:
    its owner can mend both.
    """

    platform: str
    unavailable: Outcome
    too_many_requests: Outcome
    bad_token: Outcome
    no_rights: Outcome

    @classmethod
    def of(cls, platform: str) -> PlatformOutcomes:
        """The outcomes of the platform of this name."""
        return cls(
            platform,
            Outcome(
                Verdict.RETRY, translatable("%(platform)s is not available now", platform=platform)
            ),
            Outcome(
                Verdict.RETRY, translatable("%(platform)s asks us to slow down", platform=platform)
            ),
            Outcome(
                Verdict.RETRY,
                translatable("%(platform)s does not accept the access token", platform=platform),
                disable_destination=True,
            ),
            Outcome(
                Verdict.RETRY,
                translatable("the token may not send to this pixel"),
                disable_destination=True,
            ),
        )

    def error(
        self, outcome: Outcome | None, message: object, code: str, response: Response,
        *, is_passing: bool,
    ) -> Outcome:  # fmt: skip
        """An error in the platform's own JSON: the outcome that its code has, and its message.

        A code without an outcome refuses this one event, unless `is_passing` or a
        status of 5xx says that the platform itself failed.
        """
        if outcome is None:
            failed = is_passing or response.status >= 500
            outcome = self.unavailable if failed else Outcome(Verdict.REJECTED)
        text = translatable(
            "%(platform)s says: %(message)s (%(code)s)",
            platform=self.platform,
            message=str(message)[:MAX_MESSAGE],
            code=code,
        )
        return with_message(outcome, text, response)

    def foreign_answer(self, response: Response) -> Outcome:
        """An answer that is not the platform's JSON: something between us and it replied.

        So a success is none, and the event is tried again. 401 means a refused token,
        whoever answers it.
        """
        if response.status == 401:
            return self.bad_token
        outcome = outcome_by_status(response)
        if 200 <= response.status < 300:
            return Outcome(
                Verdict.RETRY,
                translatable("the answer is not %(platform)s's", platform=self.platform),
            )
        return outcome


def with_message(outcome: Outcome, message: str, response: Response) -> Outcome:
    """`outcome` with the platform's message, and for a RETRY the wait that `response` asks for."""
    reason = (
        translatable("%(reason)s; %(message)s", reason=outcome.reason, message=message)
        if outcome.reason
        else message
    )
    wait = response.retry_after if outcome.verdict is Verdict.RETRY else None
    return replace(outcome, reason=reason, retry_after=wait)
