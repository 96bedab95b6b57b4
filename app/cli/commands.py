"""Commands for operators: account · payment · plugins · postbacks · updates · secrets · doctor.

A mistake ends with one line and exit status 1 (refused) or 2 (mistyped).
"""

import json
import time
from datetime import UTC, datetime
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from app.cli import doctor
from app.database.faults import DATABASE_FAULTS
from app.domain.tariffs import PLANS
from app.errors import ApiError
from app.models import PostbackState
from app.schemas.tariffs import PaymentOut
from app.services import sealed
from app.services.accounts import accounts, keys
from app.services.billing import refunds, tariffs
from app.services.postbacks import log
from app.services.service_bot import bot as service_bot
from app.services.service_bot import entry_links
from app.services.updates import quarantine
from plugins.registry import Registry

DATE = click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M:%S"])
STATES = [state.name.lower() for state in PostbackState if state.is_final]

login = click.option("--login", required=True, help="Who.")
tariff = click.option("--tariff", type=click.Choice(list(PLANS)), help="Plan.")
until = click.option("--until", type=DATE, help="Last moment of the plan, UTC. [30 days from now]")


def register(app: Flask) -> None:
    """Add the commands to `flask --app wsgi`."""
    for command in (account, payment, plugins, postbacks_group, updates, secrets, examine):
        app.cli.add_command(command)


class Commands(AppGroup):
    """A group whose commands print an error of ours as one line instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises ClickException for such an error."""
        try:
            return super().invoke(ctx)
        except ApiError as error:
            raise click.ClickException(error.message) from error
        except DATABASE_FAULTS as error:
            raise click.ClickException(_database_fault(error)) from error


def _database_fault(error: Exception) -> str:
    cause = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
    return f"the database refused ({cause}); is it up, and has `db upgrade` been run?"


account = Commands("account", help="Customers of this installation.")


@account.command("create")
@login
@click.option("--name", required=True, help="Name for people.")
@tariff
@until
@click.option("--lang", type=click.Choice(accounts.LANGUAGES), default="en", show_default=True)
def create(login: str, name: str, tariff: str | None, until: datetime | None, lang: str) -> None:
    """Create an account and print its id and key. The key is shown once."""
    ends, now = _moment(until), int(time.time())
    made = accounts.create(login, name, tariff=tariff or "kitten", until=ends, lang=lang, now=now)
    click.echo(json.dumps({"id": made.id, "key": made.key}))


@account.command("key")
@login
def rotate(login: str) -> None:
    """Replace the key of an account and print the new one."""
    account_id = accounts.by_login(login).id
    click.echo(json.dumps({"id": account_id, "key": keys.rotate(account_id)}))


@account.command("link")
@login
def link(login: str) -> None:
    """Print a path that opens the dashboard of an account, once, within ten minutes."""
    click.echo(json.dumps({"path": f"/enter/{entry_links.make(login)}"}))


@account.command("ban")
@login
def ban(login: str) -> None:
    """Refuse an account's calls; send no postbacks and no messages for it."""
    accounts.ban(login, banned=True)
    click.echo(f"{login} is banned")


@account.command("unban")
@login
def unban(login: str) -> None:
    """Accept an account's calls again, and send what has waited."""
    accounts.ban(login, banned=False)
    click.echo(f"{login} is welcome again")


@account.command("tariff")
@login
@click.option("--tariff", type=click.Choice(list(PLANS)), required=True, help="Plan.")
@until
def set_tariff(login: str, tariff: str, until: datetime | None) -> None:
    """Grant an account a plan."""
    accounts.set_tariff(login, tariff, until=_moment(until), now=int(time.time()))
    click.echo(f"{login} is on {tariff}")


@account.command("telegram")
@login
@click.option("--id", "person", type=click.IntRange(0, 2**52 - 1), required=True, help="0: nobody.")
@click.option("--take", is_flag=True, help="Also if the person has another account: they leave it.")
def link_telegram(login: str, person: int, take: bool) -> None:
    """Link an account to a Telegram user, who may log in, is notified and may pay."""
    service_bot.link_telegram_user(login, person, move=take)
    click.echo(f"{login} is {person} in Telegram" if person else f"{login} is nobody in Telegram")


payment = Commands("payment", help="What was paid for plans.")


@payment.command("list")
@login
def list_payments(login: str) -> None:
    """Show the last payments of an account, the newest first, one JSON object a line."""
    for row in tariffs.history(accounts.by_login(login).id).rows:
        click.echo(json.dumps(PaymentOut().dump(row)))


@payment.command("refund")
@click.option("--id", "number", type=click.IntRange(1, 2**63 - 1), required=True, help="Which.")
def refund(number: int) -> None:
    """Refund a payment and remove the time it bought."""
    refunded = refunds.refund(number)
    click.echo(f"payment {number} is given back: {refunded.amount} {refunded.currency}")


plugins = Commands("plugins", help="Tracker adapters.")


@plugins.command("list")
def list_plugins() -> None:
    """List the adapters that loaded, and why others did not."""
    trackers: Registry = current_app.extensions["trackers"]
    for name in trackers.names():
        click.echo(name)
    for broken in trackers.broken:
        click.echo(f"{broken.name}: broken: {broken.reason}")


postbacks_group = Commands("postbacks", help="Reports to trackers.")


@postbacks_group.command("retry")
@click.option("--state", type=click.Choice(STATES), required=True, help="How they ended.")
@click.option("--dest", type=click.IntRange(1, 2**63 - 1), help="Only those of one destination.")
def retry(state: str, dest: int | None) -> None:
    """Send the postbacks that ended in a state again, of all accounts."""
    count = log.retry(PostbackState[state.upper()], dest)
    click.echo(f"{count} postbacks will be sent again")


updates = Commands("updates", help="What Telegram sent and could not be processed.")
since = click.option("--since", type=DATE, help="Only those received from then on, UTC.")


@updates.command("list")
@since
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
def list_updates(since: datetime | None, limit: int) -> None:
    """Show quarantined updates, the newest first, one JSON object a line."""
    for row in quarantine.newest(limit, _moment(since) or 0):
        reason = row.reason.strip().splitlines()[-1] if row.reason.strip() else ""
        line = {"id": row.id, "bot": row.bot_id, "update": row.update_id}
        click.echo(json.dumps({**line, "received": int(row.received), "reason": reason}))


@updates.command("show")
@click.option("--id", "number", type=click.IntRange(1, 2**63 - 1), required=True, help="Which.")
def show_update(number: int) -> None:
    """Show one quarantined update: why it could not be processed, and its body."""
    row = quarantine.find(number)
    click.echo(row.reason)
    click.echo(row.body.decode("utf-8", "replace"))


@updates.command("requeue")
@click.option("--id", "number", type=click.IntRange(1, 2**63 - 1), help="Only this one.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@since
def requeue_updates(number: int | None, everything: bool, since: datetime | None) -> None:
    """Process quarantined updates again: one, all, or those since a date."""
    if number is None and since is None and not everything:
        raise click.UsageError("say which: --id, --since or --all")
    count = quarantine.requeue(number, _moment(since) or 0)
    click.echo(f"{count} updates will be processed again")
    if left := quarantine.count().unusable:
        click.echo(f"{left} without an update id cannot be: updates show, updates discard")


@updates.command("discard")
@click.option("--id", "number", type=click.IntRange(1, 2**63 - 1), help="Only this one.")
@click.option("--unusable", is_flag=True, help="Those that cannot be requeued: no update id.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@since
def discard_updates(
    number: int | None, unusable: bool, everything: bool, since: datetime | None
) -> None:
    """Delete quarantined updates: one, the unusable, all, or those since a date."""
    if number is None and since is None and not (everything or unusable):
        raise click.UsageError("say which: --id, --unusable, --since or --all")
    count = quarantine.discard(number, _moment(since) or 0, unusable=unusable)
    click.echo(f"{count} updates are deleted")


secrets = Commands("secrets", help="What the database holds sealed.")


@secrets.command("rotate")
def rotate_secrets() -> None:
    """Seal with SECRET_KEY what the keys of OLD_SECRET_KEYS have sealed. Nothing stops for it."""
    results = sealed.reseal(lambda name, rows: click.echo(f"{name}: {rows} looked at", err=True))
    for result in results:
        lost = f", {result.lost} that no key opens" if result.lost else ""
        click.echo(f"{result.name}: {result.written} sealed anew{lost}")
    if waiting := sealed.webhooks_to_renew():
        click.echo(f"{waiting} webhooks are set anew by the worker; keep the old keys until then")
    if any(result.lost for result in results):
        raise click.exceptions.Exit(1)


@click.command("doctor")
@with_appcontext
def examine() -> None:
    """Check this installation, and say what to do about what is wrong."""
    checks = doctor.run()
    for check in checks:
        click.echo(str(check))
    if not all(check.ok for check in checks):
        raise click.exceptions.Exit(1)


def _moment(date: datetime | None) -> int | None:
    return None if date is None else int(date.replace(tzinfo=UTC).timestamp())
