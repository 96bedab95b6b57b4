"""Fields of track/* under a key, named as AdTarget's API names them."""

from typing import ClassVar, Final

from app.domain.clicks.link_query import MAX_EXTERNAL, MAX_TEXT, SUBS
from app.domain.clicks.page_visit import IDS, MAX_AGENT, MAX_CITY, MAX_HREF, UTM
from app.schemas import fields
from app.schemas.base import Input, Output
from plugins.kit.platforms.meta_ids import MAX_ID

LONGEST_MARK: Final = 36
LONGEST_SITE: Final = 16
LONGEST_CODE: Final = 8


class InviteTake(Input):
    """Which visitor's link: `tempId` as in the report of the visit, or none for a new visitor."""

    site = fields.Text(LONGEST_SITE)
    source = fields.Text(LONGEST_CODE)
    temp_id = fields.Text(LONGEST_MARK, data_key="tempId")
    consent = fields.Boolean()
    client_ip = fields.Text(MAX_TEXT, data_key="clientIp")
    user_agent = fields.Text(MAX_AGENT, data_key="userAgent")


class VisitAdd(InviteTake):
    """One visitor of a page. `href` is the page's address with its query."""

    class Meta(InviteTake.Meta):
        """Options of marshmallow: the names of ids, UTM and subs as pages report them."""

        include: ClassVar = {
            **{name: fields.Text(MAX_ID, data_key=key) for key, name in IDS.items()},
            **{f"utm_{name}": fields.Text(MAX_TEXT, data_key=key) for key, name in UTM.items()},
            **{name: fields.Text(MAX_TEXT, data_key=name) for name in SUBS},
        }

    href = fields.Text(MAX_HREF, required=True, not_empty=True)
    referrer = fields.Text(MAX_HREF)
    landing_page = fields.Text(MAX_HREF, data_key="landingPage")
    client_session_id = fields.Text(64, data_key="clientSessionId")
    external_user_id = fields.Text(MAX_EXTERNAL, data_key="externalUserId")
    country = fields.Text(2)
    city = fields.Text(MAX_CITY)


class FbpAdd(Input):
    """The fbp of a browser that was reported before as `tempId`."""

    site = fields.Text(LONGEST_SITE)
    temp_id = fields.Text(LONGEST_MARK, data_key="tempId", required=True)
    fbp = fields.Text(MAX_ID, required=True)


class CookieOut(Output):
    """A cookie that the caller may set in its own page; `maxAge` in seconds."""

    name = fields.Text()
    value = fields.Text()
    max_age = fields.Int(data_key="maxAge", attribute="maxAge")
    same_site = fields.Text(data_key="sameSite", attribute="sameSite")


class CookiesOut(Output):
    """The two cookies of AdTarget's answer."""

    temp_id = fields.Nested(CookieOut, data_key="tempId", attribute="tempId")
    session = fields.Nested(CookieOut)


class VisitOut(Output):
    """How the visit is called. `names` are the names in Telegram that its source leads to."""

    visit_id = fields.Text(data_key="visitId", attribute="visitId")
    temp_id = fields.Text(data_key="tempId", attribute="tempId")
    session_id = fields.Text(data_key="sessionId", attribute="sessionId")
    client_session_id = fields.Text(data_key="clientSessionId", attribute="clientSessionId")
    cookies = fields.Nested(CookiesOut)
    names = fields.List(fields.Text())


class FbpOut(Output):
    """`success` is false for what is no fbp or no mark of a visitor."""

    success = fields.Boolean()


class InviteOut(Output):
    """Where the visitor goes; `expires` is zeros for a link that does not."""

    link = fields.Text()
    kind = fields.Text()
    expires = fields.UtcText()
