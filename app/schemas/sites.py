"""Fields of sites/*."""

from typing import Any, Final

from marshmallow import ValidationError

from app.domain.clicks.origins import MAX_HOST
from app.domain.clicks.privacy import Capture, Consent
from app.errors import translatable
from app.schemas import fields
from app.schemas.base import ById, Input, Output

ALL_CAPTURE: Final = int(~Capture.NONE)
LONGEST_URL: Final = 2048


class Domains(fields.Field[list[str]]):
    """Hosts: a list of texts, or in a form its JSON text."""

    def _read(self, value: Any) -> list[str]:
        if isinstance(value, str):
            value = fields.json_of(value)
        if not isinstance(value, list):
            raise ValidationError(translatable("must be a list, or its JSON text"))
        name = fields.Text(MAX_HOST + 2, not_empty=True)
        return [str(name.deserialize(host)) for host in value]


class SiteEdit(ById):
    """Absent fields stay as they are. `source` 0 takes the default source away."""

    domains = Domains()
    source = fields.Int(0)
    capture = fields.Int(0, ALL_CAPTURE)
    consent = fields.EnumName(Consent)


class SiteAdd(Input):
    """A new site. `capture` adds 1 for addresses, 2 for user agents, 4 for fbc, 8 for other ids."""

    domains = Domains(required=True)
    source = fields.Int(0)
    capture = fields.Int(0, ALL_CAPTURE)
    consent = fields.EnumName(Consent)


class SiteOut(Output):
    """A site; `site` is its public id, `snippet` the tag for its pages."""

    id = fields.Int()
    site = fields.Text()
    domains = fields.List(fields.Text())
    source = fields.Int()
    capture = fields.Int()
    consent = fields.EnumName(Consent)
    snippet = fields.Text()
    created = fields.UtcText()
    last_seen = fields.UtcText()


class SiteCheck(ById):
    """Which page of which site."""

    url = fields.Text(LONGEST_URL)


class SiteChecked(Output):
    """What was seen. `status` is 0 without an answer; `tagged` is the site that the tag names."""

    ok = fields.Boolean()
    message = fields.TranslatedText()
    url = fields.Text()
    status = fields.Int()
    ms = fields.Int()
    tagged = fields.Text()
