"""Fields of profile/*."""

from app.schemas import fields
from app.schemas.base import Input, Output
from app.services.accounts.accounts import LANGUAGES

#: Longer than any browser's address bar takes.
LONGEST_URL = 2048


class Templates(Input):
    """The five `pb_*`; absent ones are left out of what is loaded."""

    pb_wait = fields.Text(LONGEST_URL)
    pb_hold = fields.Text(LONGEST_URL)
    pb_approve = fields.Text(LONGEST_URL)
    pb_cancel = fields.Text(LONGEST_URL)
    pb_trash = fields.Text(LONGEST_URL)


class KeyRotation(Input):
    """Whether the account's sessions end with the old key; the one that calls goes on."""

    end_sessions = fields.Boolean(load_default=False)


class ApiKey(Output):
    """`profile/apikey`. The key is shown this once."""

    key = fields.Text()


class Notifications(Input):
    """Which notifications the account gets."""

    tariff = fields.Boolean()
    leads = fields.Boolean()


class Language(Input):
    """The account's language."""

    lang = fields.Choice(*LANGUAGES, required=True)


class Zone(Input):
    """The account's time zone, such as Europe/Riga."""

    zone = fields.Text(64, required=True, not_empty=True)


class TrackerConnect(Input):
    """The AlterCPA tracker to connect; an empty domain disconnects."""

    domain = fields.Text(300, required=True)
    key = fields.Text(300, load_default="")


class TrackerOut(Output):
    """`profile/tracker`. The key is never shown."""

    connected = fields.Boolean()
    domain = fields.Text()


class NotificationsOut(Output):
    """The switches as they are."""

    tariff = fields.Boolean(attribute="notify_tariff")
    leads = fields.Boolean(attribute="notify_leads")


class LoginOut(Output):
    """`profile/login`, from a `Profile`."""

    id = fields.Int(attribute="account.id")
    name = fields.Text(attribute="account.name")


class ProfileOut(Output):
    """`profile/info`, from a `Profile`."""

    id = fields.Int(attribute="account.id")
    name = fields.Text(attribute="account.name")
    login = fields.Text(attribute="account.login")
    lang = fields.Text(attribute="account.lang")
    tariff = fields.Text(attribute="account.tariff")
    tariff_name = fields.Text(attribute="plan.name")
    tariff_campaigns = fields.Int(attribute="plan.campaigns")
    paid_until = fields.UtcText(attribute="account.paid_until")
    campaigns = fields.Int()
    pb_wait = fields.Text(attribute="templates.pb_wait")
    pb_hold = fields.Text(attribute="templates.pb_hold")
    pb_approve = fields.Text(attribute="templates.pb_approve")
    pb_cancel = fields.Text(attribute="templates.pb_cancel")
    pb_trash = fields.Text(attribute="templates.pb_trash")
    notify = fields.Nested(NotificationsOut, attribute="account")
    zone = fields.Text(attribute="account.zone")
