"""Transfer: giving a bot or a campaign to another account, and calling it off."""

from typing import Final

from flask import Blueprint, Response, g

from app.dashboard import answers, names
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, signed_in
from app.errors import ApiError, BadParameter, NotFound, translatable
from app.models import TransferState
from app.schemas import ById, Input, fields
from app.services.bots import bots
from app.services.campaigns import transfer
from app.translations import gettext

blueprint = Blueprint("transfer", __name__, url_prefix="/settings/transfer")

MOST: Final = 50


class GiveForm(Input):
    """What is given, as one value: `bot:12` or `campaign:3`; to whom, and with its leads or not."""

    token = fields.Text(128, not_empty=True, required=True)
    subject = fields.Text(32, required=True, pattern=r"(bot|campaign):[0-9]{1,18}")


@blueprint.get("")
@signed_in
def page() -> Response:
    """The own token, what may be given, and what is on its way."""
    return _page()


@blueprint.post("/token")
@changes()
def renew() -> Response:
    """Replace the own token."""
    transfer.renew_token(g.account.id)
    return _redirect("saved")


@blueprint.post("")
@changes("transfer.bot")
def ask() -> Response:
    """Say who would receive, or ask for the transfer once that was seen."""
    try:
        typed = forms.checked(GiveForm(), g.form)
        recipient = _recipient(typed["token"])
        if g.form.get("do") != "agreed":
            return _page(recipient=recipient)
        kind, _, number = typed["subject"].partition(":")
        with_leads = "leads" in g.form
        if kind == "bot":
            transfer.give_bot(g.account, typed["token"], int(number), with_leads=with_leads)
        else:
            transfer.give_campaign(
                g.account, typed["token"], int(number), to_bot=None, with_leads=with_leads
            )
    except ApiError as error:
        return _page(error)
    return _redirect("saved")


@blueprint.post("/cancel")
@changes("transfer.cancel", even_unpaid=True)
def cancel() -> Response:
    """Call off a transfer that waits."""
    transfer.cancel(g.account.id, forms.checked(ById(), g.form)["id"])
    return _redirect("ended")


def _recipient(token: str) -> transfer.Recipient:
    try:
        return transfer.resolve(token)
    except NotFound as error:
        raise BadParameter("token", translatable("no account has this token")) from error


def _page(error: ApiError | None = None, recipient: transfer.Recipient | None = None) -> Response:
    return answers.page(
        "settings/transfer.html",
        error,
        token=transfer.token_of(g.account.id),
        bots=[row.bot for row in bots.list_with_faults(g.account.id) if row.bot.living],
        campaigns=names.campaigns(g.account.id),
        rows=transfer.listed(g.account.id, limit=MOST),
        states=states(),
        pending=TransferState.PENDING,
        typed=g.get("form", {}),
        recipient=recipient,
    )


def states() -> dict[int, tuple[str, str]]:
    """Return the kind of pill and the word for each state of a transfer."""
    return {
        TransferState.PENDING: ("warn", gettext("waits")),
        TransferState.DONE: ("good", gettext("done")),
        TransferState.FAILED: ("bad", gettext("failed")),
        TransferState.REVERSING: ("warn", gettext("is taken back")),
        TransferState.REVERSED: ("calm", gettext("was taken back")),
    }


def _redirect(done: str) -> Response:
    return answers.redirect_to(f"/settings/transfer?done={done}")
