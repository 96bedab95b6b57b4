"""`make demo`: the whole system, a bot, an audience and three trackers on loopback.

Ends 0 only if every expected postback arrived and no other, and if the one
tracker that is dead has its postbacks visibly waiting.
"""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import requests

from app.config import Settings
from app.local import run
from app.local.redis_server import CannotRun
from app.local.run import RunningSystem
from app.sandbox.demo.api import Api, DemoFailed
from app.sandbox.demo.expectations import differences
from app.sandbox.demo.hold import stay
from app.sandbox.demo.output import Output
from app.sandbox.demo.scenario import FLOWERS, MARKET, PEOPLE, SHOWS, Action, Show, rounds
from app.sandbox.serving import LOOPBACK, running
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from app.sandbox.telegram.server import BotApiDouble
from app.sandbox.vendors.tracker import TrackerDouble

TOKEN: Final = "7000000001:a-token-that-only-the-double-knows"  # noqa: S105 not a real one
BOT: Final = Person(7_000_000_001, "Demo", username="gatepost_demo_bot", language="", is_bot=True)
PATIENCE: Final = 30.0  #: seconds for one round; the flaky tracker's retry takes five
LINGER: Final = 1.0  #: seconds in which a postback too many would still arrive
WELCOME: Final = "Hello! *{title}* waits for you."


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as the API made it."""

    id: int
    code: str


class Demo:
    """One run of the demo."""

    def __init__(
        self, api: Api, bot_api: BotApiDouble, tracker: TrackerDouble, output: Output
    ) -> None:
        self._api = api
        self._bot_api = bot_api
        self._tracker = tracker
        self._output = output
        self._campaigns: dict[Show, Campaign] = {}
        self._played: list[Action] = []
        self._ad = ""  # the link of an ad that leads to an invite link
        self._links: dict[int, str] = {}  # the invite link of each person who opened it
        self._date = int(time.time()) - 3600  # Telegram's clock in this play

    def prepare(self, tracker_url: str) -> None:
        """Connect the bot, make it an administrator, and make the campaigns."""
        bot = self._api.post("bots/add", token=TOKEN)
        self._output.fact("bot", f"@{bot['username']} is connected")
        for show in SHOWS:
            self._bot_api.push(TOKEN, people.bot_rights(show.chat, True, self._date, bot=BOT))
        self._until(lambda: len(self._api.get("bots/chats", id=bot["id"])) == len(SHOWS))
        for show in SHOWS:
            template = show.template(tracker_url)
            urls = {
                f"pb_{event}": template for event in ("wait", "hold", "approve", "cancel", "trash")
            }
            made = self._api.post(
                "camp/add", bot=bot["id"], chat=show.chat.id, welcome=WELCOME, **urls
            )
            self._campaigns[show] = Campaign(made["id"], made["code"])
            self._output.fact(
                "campaign", f"{made['code']}  {show.chat.title}: its tracker {show.remark}"
            )
        self._ad = self._api.make_ad(self._campaigns[FLOWERS].id)
        self._output.fact("ad", f"{self._ad} leads to invite links")
        self._api.connect_casino(self._campaigns[FLOWERS].id, FLOWERS.deposit_template(tracker_url))
        self._output.fact("casino", "a server that tells of deposits, by click id")

    def play(self) -> None:
        """Let everybody act, round by round, and print what trackers hear."""
        for number, actions in enumerate(rounds(), 1):
            self._output.round(number)
            self._date += 60
            seen = len(self._tracker.log())
            for action in actions:
                self._act(action)
            self._played += actions
            if not self._watch(actions, seen):
                return  # what is missing is told at the end

    def _act(self, action: Action) -> None:
        person = action.person.id
        if action.is_press:
            self._links[person] = self._api.open_ad(f"{self._ad}?click={action.click}")
            return
        if action.is_deposit:
            self._api.deposit(action.click)
            return
        code = self._campaigns[action.show].code
        update = action.update(code, self._date, self._links.get(person, ""))
        self._bot_api.push(TOKEN, update)

    def _watch(self, actions: Sequence[Action], seen: int) -> bool:
        """Print each action once all its postbacks arrived. False if some never did."""
        begun, left = time.monotonic(), list(actions)
        while left and time.monotonic() < begun + PATIENCE:
            for action in list(left):
                answers = self._answers(action, seen)
                if _is_settled(action, answers):
                    left.remove(action)
                    self._output.action(action, answers, time.monotonic() - begun)
            time.sleep(0.02)
        for action in left:
            self._output.action(action, self._answers(action, seen), None)
        return not left

    def _answers(self, action: Action, seen: int) -> list[int]:
        """Return what the tracker answered to this person's postbacks of this round."""
        return [
            hit.status
            for hit in self._tracker.log()[seen:]
            if hit.query.get("subscriber") == str(action.person.id)
            and hit.query.get("status") in action.reports
        ]

    def find_faults(self) -> list[str]:
        """Return everything that is wrong, in sentences."""
        time.sleep(LINGER)
        if not self._bot_api.drained(PATIENCE):
            return ["some updates were never taken from Telegram"]
        complete = len(self._played) == sum(len(role.actions) for role in PEOPLE)
        return [
            *differences(self._played, self._tracker.log()),
            *(self._wrong_leads() if complete else ["the play was stopped half-way"]),
            *self._wrong_queue(),
            *self._wrong_welcomes(),
            *self._bot_api.violations,
        ]

    def show_timelines(self) -> None:
        """Print each lead as the API explains it."""
        for role in PEOPLE:
            if lead := self._lead_of(role.show, role.person.id):
                lead_details = self._api.get("leads/get", id=lead["id"])
                self._output.lead(role.person.first_name, lead, lead_details["postbacks"])
            else:
                self._output.no_lead(role.person.first_name)

    def _lead_of(self, show: Show, subscriber: int) -> dict[str, Any] | None:
        leads = self._api.get("leads/list", campaign=self._campaigns[show].id, limit=200)
        return next((lead for lead in leads if lead["subscriber"] == subscriber), None)

    def _wrong_leads(self) -> list[str]:
        wrong = []
        for role in PEOPLE:
            lead = self._lead_of(role.show, role.person.id)
            status = lead["status"] if lead else None
            if status != role.ends:
                wrong.append(f"{role.person.first_name} ends as {status}, not as {role.ends}")
        return wrong

    def _wrong_queue(self) -> list[str]:
        """Return what is wrong with postbacks for the dead tracker: all must wait for a try."""
        rows = self._api.get("postbacks/list", campaign=self._campaigns[MARKET].id)
        expected = sum(len(action.reports) for action in self._played if action.show is MARKET)
        waiting = [row for row in rows if row["state"] in ("waiting", "sending") and row["tries"]]
        if len(rows) == len(waiting) == expected:
            return []
        return [f"{len(waiting)} of {expected} postbacks wait for the dead tracker: {rows}"]

    def _wrong_welcomes(self) -> list[str]:
        expected = sorted(action.person.id for action in self._played if action.is_start)
        self._until(lambda: len(self._bot_api.sent(TOKEN)) >= len(expected), or_else=False)
        sent = sorted(message.chat_id for message in self._bot_api.sent(TOKEN))
        return [] if sent == expected else [f"welcomes went to {sent}, not to {expected}"]

    def _until(self, holds: Any, *, or_else: bool = True) -> None:
        """Wait until `holds` is true, PATIENCE seconds at most.

        Raises DemoFailed if it never is, unless `or_else` is false.
        """
        end = time.monotonic() + PATIENCE
        while not holds():
            if time.monotonic() > end:
                if or_else:
                    raise DemoFailed("the system took too long to take Telegram's updates")
                return
            time.sleep(0.05)


def _is_settled(action: Action, answers: Sequence[int]) -> bool:
    """Return whether all that this action brings arrived; at the dead tracker a try is enough."""
    if action.show is MARKET:
        return len(answers) >= len(action.reports)
    return answers.count(200) >= len(action.reports)


def environment(bot_api_url: str, port: int) -> dict[str, str]:
    """Return the environment of the system, without the settings of the operator's own."""
    ours = {field.name.upper() for field in fields(Settings)}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    return inherited | {
        "TELEGRAM_API_URL": bot_api_url,
        "PUBLIC_URL": f"http://{LOOPBACK}:{port}",
        "PORT": str(port),
        "OUTBOUND_ALLOW": "127.0.0.0/8",
        "LOG_LEVEL": "warning",
        "WEB_CONCURRENCY": "1",
    }


def perform(output: Output, look: Callable[[RunningSystem], None] | None = None) -> list[str]:
    """Start everything, play, stop everything. Return what went wrong, in sentences.

    `look` is called when the play is over, with the system that still runs.
    """
    bot_api, tracker = BotApiDouble(), TrackerDouble()
    bot_api.add_bot(TOKEN, BOT.username, BOT.first_name)
    with (
        tempfile.TemporaryDirectory(prefix="gatepost-demo-") as folder,
        running(bot_api) as bot_api_url,
        running(tracker) as tracker_url,
    ):
        output.fact("doubles", f"Bot API at {bot_api_url}, tracker at {tracker_url}")
        environ = environment(bot_api_url, run.free_port())
        with run.running(environ, Path(folder)) as system:
            output.fact("system", f"web, worker and Redis at {system.url}")
            output.fact("dashboard", f"{system.url}, which HOLD=1 keeps open")
            api = Api(system.url, system.key)
            demo = Demo(api, bot_api, tracker, output)
            demo.prepare(tracker_url)
            demo.play()
            wrong = demo.find_faults()
            output.heading("Timelines, as the API tells them")
            demo.show_timelines()
            api.close()
            if look is not None:
                look(system)
    return wrong


def main() -> int:
    """Run the demo. Return the exit code."""
    for number in run.SIGNALS:
        signal.signal(number, run.interrupt)
    output = Output(sys.stdout)
    output.heading("Gatepost: one bot, three campaigns, thirteen people")
    try:
        is_held = os.environ.get("HOLD", "") not in ("", "0")
        wrong = perform(output, (lambda system: stay(system, output)) if is_held else None)
    except (DemoFailed, CannotRun, requests.RequestException) as error:
        wrong = [f"the demo could not go on: {error}"]
    except KeyboardInterrupt:
        output.heading("Stopped.")
        return 130
    output.verdict(wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
