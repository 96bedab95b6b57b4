"""Each kind of address and text that cannot mean what it says, in each place that takes one."""

import base64
from ipaddress import ip_network

import pytest

from app.services.trackers import typed_addresses

SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()
ALTCRAFT = {"token": "abcdefgh1", "db_id": 1, "pixel_id": 1}
ADTARGET = {"key": "atk_live_12345678_abcdefghijklmnop", "site": "atid_1"}
META = {"pixel_id": "1234567890", "access_token": "EAAB12345678"}
TIKTOK = {"pixel_code": "COQDA8RC77U2TMR44LI0", "access_token": "abcdefgh12345678"}
BINOM = {"preset": "binom", "fields": {}}

#: Kinds of an address, and whether a place that calls it refuses or warns.
ADDRESSES = {
    "invisible": ("https://t.example/pb\u200b?c={click}", "refused"),
    "invisible and encoded": ("https://t.example/pb?c={click}&s=approve%E2%80%8B", "refused"),
    "a symbol that is blank": ("https://t.example/pb?c={click}&s=approve\u2800", "refused"),
    "a variation of nothing": ("https://t.example/pb?c={click}&s=approve%EF%B8%8F", "refused"),
    "an object of nothing": ("https://t.example/pb?c={click}&s=%EF%BF%BC", "refused"),
    "a NUL": ("https://t.example/pb?c={click}&s=approve%00", "refused"),
    "a line's end": ("https://t.example/pb?c={click}&s=approve%0A", "refused"),
    "lines' ends": ("https://t.example/pb?c={click}&s=approve%0D%0A", "refused"),
    "a tab": ("https://t.example/pb?c={click}&s=approve%09", "refused"),
    "a space": ("https://t.example/pb?c={click}&s=approve%20", "warned"),
    "HTML, shouted": ("https://t.example/pb?c={click}&AMP;s=1", "refused"),
    "HTML, by number": ("https://t.example/pb?c={click}&#38;s=1", "refused"),
    "a program's text": ("https://t.example/pb?c={click}\\u0026s=1", "refused"),
    "a brace too many": ("https://t.example/pb?c={{click}", "refused"),
    "a filter": ("https://t.example/pb?c={click|x}", "refused"),
    "a shell's": ("https://t.example/pb?c=$(click)", "refused"),
    "a template's": ("https://t.example/pb?c=<%=click%>", "refused"),
    "encoded twice": ("https://t.example/pb?c=%257Bclick%257D", "refused"),
    "a look-alike": ("https://t.example/pb?c={\u0441lick}", "refused"),
    "another alphabet": ("https://t.example/pb?c={click}&s={имя}", "warned"),
    "a number": ("https://t.example/pb?c={click}&s={1}", "warned"),
    "a dollar alone": ("https://t.example/pb?c={click}&s=$sub1", "warned"),
    "a colon": ("https://t.example/pb?c={click}&s=:sub1", "warned"),
    "two ats": ("https://t.example/pb?c={click}&s=@sub1@", "warned"),
    "a second question mark": ("https://t.example/pb?s=1?c={click}", "warned"),
    "a question mark twice": ("https://t.example/pb??c={click}", "warned"),
    "no question mark": ("https://t.example/pb&c={click}", "warned"),
    "a conversion's macro": ("https://t.example/pb?c={click}&s={value}", "warned"),
    "behind #": ("https://t.example/#/pb?c={click}", "refused"),
    "HTML": ("https://t.example/pb?c={click}&amp;s=1", "refused"),
    "double braces": ("https://t.example/pb?c={{click}}", "refused"),
    "dollar": ("https://t.example/pb?c=${click}", "refused"),
    "encoded braces": ("https://t.example/pb?c=%7Bclick%7D", "refused"),
    "another's macro": ("https://t.example/pb?c={click}&s={subid1}", "warned"),
    "in brackets": ("https://t.example/pb?c={click}&s=[sub1]", "warned"),
    "in underscores": ("https://t.example/pb?c={click}&s=__SUB1__", "warned"),
    "in percents": ("https://t.example/pb?c={click}&s=%sub1%", "warned"),
    "in angles": ("https://t.example/pb?c={click}&s=<sub1>", "warned"),
    "without an end": ("https://t.example/pb?c={click}&s={sub1", "warned"),
    "fragment": ("https://t.example/pb?c={click}#top", "warned"),
    "private": ("https://10.0.0.1/pb?c={click}", "refused"),
    "private, IPv6": ("https://[fd00::1]/pb?c={click}", "refused"),
    "this machine": ("https://localhost/pb?c={click}", "refused"),
    "metadata": ("http://169.254.169.254/pb?c={click}", "refused"),
    "odd spelling": ("https://0x7f.1/pb?c={click}", "refused"),
    "name of a network": ("https://keitaro/pb?c={click}", "warned"),
    "name under .local": ("https://t.local/pb?c={click}", "warned"),
}
#: What a browser opens may stand behind #, and may be reached by some people only.
BUTTON = {"behind #": "taken", "a line's end": "warned", "lines' ends": "warned", "a tab": "warned",
           "fragment": "taken", "private": "warned", "private, IPv6": "warned",
          "this machine": "warned", "metadata": "warned"}  # fmt: skip

#: Kinds of a domain; macros and paths are none of a domain's characters.
DOMAINS = {
    "invisible": ("t.exa\u200bmple", "refused"),
    "behind #": ("t.example/#/pb", "refused"),
    "HTML": ("t.example&amp;x", "refused"),
    "a macro": ("{click}.example", "refused"),
    "private": ("10.0.0.1", "refused"),
    "this machine": ("localhost", "refused"),
    "metadata": ("169.254.169.254", "refused"),
    "name of a network": ("keitaro", "warned"),
    "name under .internal": ("t.internal", "warned"),
}
#: Kinds of the address of an API, which ends after its host.
BASES = {kind: (f"https://{domain}", verdict) for kind, (domain, verdict) in DOMAINS.items()}
#: Kinds of a word that is sent as it is: a key, a status, a header.
WORDS = {
    "invisible": ("approve\u200b", "refused"),
    "byte order mark": ("\ufeffapprove", "refused"),
    "a symbol that is blank": ("approve\u2800", "refused"),
    "a variation of nothing": ("approve\ufe0f", "refused"),
    "an object of nothing": ("approve\ufffc", "refused"),
    "encoded": ("approve%E2%80%8B", "refused"),
    "a line's end, encoded": ("approve%0A", "refused"),
    "a NUL, encoded": ("approve%00", "refused"),
    "a space, encoded": ("approve%20", "refused"),
}

#: Macros of other systems where a text of ours is sent.
MARKS = {
    "another's macro": ("{subid1}", "warned"),
    "in brackets": ("[click_id]", "warned"),
    "in underscores": ("__CLICK__", "warned"),
    "in percents": ("%click%", "warned"),
    "in angles": ("<click>", "warned"),
    "without an end": ("{click", "warned"),
    "ours": ("{click}", "taken"),
}


def _add(tracker, settings):
    def call(api, world, text):
        return api.post("dest/add", tracker=tracker, settings=settings(text))

    return call


def _edit(tracker, good, settings):
    def call(api, world, text):
        number = api.post("dest/add", tracker=tracker, settings=good)["data"]["id"]
        return api.post("dest/edit", id=number, settings=settings(text))

    return call


def _check(tracker, settings):
    def call(api, world, text):
        return api.post("dest/check", tracker=tracker, settings=settings(text))

    return call


def _test(tracker, settings):
    def call(api, world, text):
        return api.post("postbacks/test", tracker=tracker, settings=settings(text), event="hold")

    return call


def _campaign(name):
    return lambda api, world, text: api.post("camp/edit", id=world.campaign(), **{name: text})


def _new_campaign(name):
    def call(api, world, text):
        bot = world.bot()
        return api.post("camp/add", bot=bot, chat=world.chat(bot), **{name: text})

    return call


GOOD = {"urls": {"hold": "https://t.example/?c={click}"}}


def _webhook(url):
    return {"url": url, "secret": SECRET}


def _without_macros(kinds):
    """The kinds of an address that has no macros: every brace is refused there."""
    return {
        kind: (url.replace("c={click}", "c=1"), "refused"
               if "{" in url.replace("c={click}", "") or kind == "fragment" else verdict)
        for kind, (url, verdict) in kinds.items()
    }  # fmt: skip


WITHOUT_MACROS = _without_macros(ADDRESSES)
WEBHOOK = _webhook("https://t.example/hook")

#: What people are told in words of the owner's, with macros and Markdown.
WELCOMES = {
    "another's macro": ("Hi {first_name}", "warned"),
    "two words": ("Hi {first name}", "warned"),
    "another alphabet": ("Hi {имя}", "warned"),
    "a dollar": ("Hi $name", "warned"),
    "hashes": ("Hi #name#", "warned"),
    "a conversion's name": ("Hi {name}", "warned"),
    "a conversion's value": ("Hi {value}", "warned"),
    "braces": ("f(x){return 1;} costs $5, @anna", "taken"),
    "double braces": ("Your number: {{lead}}", "warned"),
    "in brackets": ("Your number: [click_id]", "warned"),
    "in underscores": ("Your number: __CLICK__", "warned"),
    "in percents": ("Your number: %click%", "warned"),
    "in angles": ("Your number: <click>", "warned"),
    "without an end": ("Your number: {lead", "warned"),
    "words in marks": ("Rules for <all>: 100%, 50% off, #1", "taken"),
    "HTML": ("A &amp; B", "warned"),
    "a space that does not break": ("10\u00a0000", "taken"),
}

PLACES = {
    "camp/add pb_hold": (_new_campaign("pb_hold"), ADDRESSES),
    "camp/edit pb_trash": (_campaign("pb_trash"), ADDRESSES),
    "profile/postbacks": (
 lambda api, _, url: api.post("profile/postbacks", pb_wait=url),
 ADDRESSES),
    "postbacks/test template": (
        lambda api, _, url: api.post("postbacks/test", template=url, event="hold"),
        ADDRESSES,
    ),
    "dest/add url_template": (_add("url_template", lambda u: {"urls": {"hold": u}}), ADDRESSES),
    "dest/edit url_template": (
        _edit("url_template", GOOD, lambda u: {"urls": {"hold": u}}),
        ADDRESSES,
    ),
    "postbacks/test url_template": (
        _test("url_template", lambda u: {"urls": {"hold": u}}),
        ADDRESSES,
    ),
    "dest/add signed_webhook": (_add("webhook", _webhook), WITHOUT_MACROS),
    "dest/edit signed_webhook": (_edit("webhook", WEBHOOK, _webhook), WITHOUT_MACROS),
    "postbacks/test signed_webhook": (_test("webhook", _webhook), WITHOUT_MACROS),
    "dest/add tiktok's page": (
        _add("tiktok_events", lambda u: {**TIKTOK, "page_url": u}),
        WITHOUT_MACROS,
    ),
    "dest/add altcraft": (_add("altcraft", lambda u: {**ALTCRAFT, "base_url": u}), BASES),
    "dest/edit altcraft": (
        _edit("altcraft", ALTCRAFT, lambda u: {**ALTCRAFT, "base_url": u}),
        BASES,
    ),
    "dest/add adtarget": (_add("adtarget_capi", lambda u: {**ADTARGET, "base_url": u}), BASES),
    "dest/add meta_capi": (_add("meta_capi", lambda u: {**META, "base_url": u}), BASES),
    "dest/add tiktok_events": (_add("tiktok_events", lambda u: {**TIKTOK, "base_url": u}), BASES),
    "dest/add altercpa_lite": (
        _add("altercpa_lite", lambda d: {"domain": d, "key": "1-abc"}),
        DOMAINS,
    ),
    "dest/add a preset": (
        _add("url_template", lambda d: {"preset": "binom", "fields": {"domain": d}}),
        DOMAINS,
    ),
    "postbacks/test a preset": (
        _test("url_template", lambda d: {"preset": "binom", "fields": {"domain": d}}),
        DOMAINS,
    ),
    "dest/add a preset's key": (
        _add(
            "url_template",
            lambda w: {"preset": "keitaro", "fields": {"domain": "k.example", "postback_key": w}},
        ),
        WORDS,
    ),
    "dest/add a status": (
        _add("url_template", lambda w: {**GOOD, "statuses": {"hold": w}}),
        WORDS,
    ),
    "dest/add a header": (
        _add("url_template", lambda w: {**GOOD, "headers": {"X-Key": f"Bearer {w}"}}),
        {kind: word for kind, word in WORDS.items() if "encoded" not in kind},
    ),
    "dest/add a value of a body": (
        _add(
            "url_template",
            lambda w: {**GOOD, "method": "POST", "body": "json", "payload": {"status": w}},
        ),
        WORDS,
    ),
    "dest/add a macro in a body": (
        _add(
            "url_template",
            lambda w: {**GOOD, "method": "POST", "body": "json", "payload": {"status": w}},
        ),
        MARKS,
    ),
    "dest/add a macro in a header": (
        _add("url_template", lambda w: {**GOOD, "method": "POST", "headers": {"X-Id": w}}),
        MARKS,
    ),
    "dest/check a key": (
_check("altercpa_lite", lambda w: {"domain": "k.example", "key": w}),
 WORDS),
    "dest/add altcraft's match": (
        _add("altcraft", lambda w: {**ALTCRAFT, "match_value": w}),
        {
            **WORDS,
            "double braces": ("{{subscriber}}", "refused"),
            "another's macro": ("{first_name}", "refused"),
        },
    ),
    "camp/edit button_url": (
        _campaign("button_url"),
        {kind: (url, BUTTON.get(kind, verdict)) for kind, (url, verdict) in ADDRESSES.items()},
    ),
    "camp/add button_url": (
        _new_campaign("button_url"),
        {kind: (url, BUTTON.get(kind, verdict)) for kind, (url, verdict) in ADDRESSES.items()},
    ),
    "camp/edit button_text": (
        _campaign("button_text"),
        {
            "a macro": ("Hi {username}", "warned"),
            "in percents": ("Hi %username%", "warned"),
            "HTML": ("A &amp; B", "warned"),
        },
    ),
    "camp/edit greet_button": (
        _campaign("greet_button"),
        {"a macro": ("Hi {username}", "warned"), "words": ("Go on", "taken")},
    ),
    "camp/edit greet": (_campaign("greet"), WELCOMES),
    "camp/edit welcome": (_campaign("welcome"), WELCOMES),
    "camp/edit a link in a greeting": (
        _campaign("greet"),
        {"another's macro": ("[go](https://t.example/?c={sub1})", "warned")},
    ),
    "camp/edit a link in a welcome": (
        _campaign("welcome"),
        {
            f"{kind}": (f"[go]({url})", "taken" if kind in ("behind #", "fragment") else "warned")
            for kind, (url, _) in ADDRESSES.items()
        },
    ),
}  # fmt: skip
#: What a refusal names: the place that was typed into, and nothing else of the call.
FIELDS = (
    "pb_hold pb_trash pb_wait template hold url page_url base_url domain postback_key X-Key value "
    "status key match_value button_url"
).split()
TABLE = [
    pytest.param(call, text, verdict, id=f"{place}: {kind}")
    for place, (call, kinds) in PLACES.items()
    for kind, (text, verdict) in kinds.items()
]


@pytest.fixture
def closed(change_settings):
    """The operator has opened no network."""
    change_settings(outbound_allow=())


@pytest.fixture
def type_in(api, world, closed):
    """`type_in(call, text)`: what the API makes of a text in one place."""
    return lambda call, text: call(api, world, text)


@pytest.mark.parametrize(("call", "text", "verdict"), TABLE)
def test_each_kind_in_each_place(type_in, call, text, verdict):
    answer = type_in(call, text)
    assert _verdict(answer) == verdict, answer


def _verdict(answer):
    if answer["status"] == "error":
        assert answer["error"] == "param", answer
        assert answer["field"].rpartition(".")[2] in FIELDS, answer
        return "refused"
    return "warned" if answer.get("warnings") else "taken"


def test_what_is_called_at_once_says_at_once_that_it_cannot_be(api, closed):
    for kind, (domain, verdict) in DOMAINS.items():
        if verdict == "refused":
            typed = {"domain": domain, "key": "1-abc"}
            assert api.post("profile/tracker", **typed)["error"] in {"param", "connect"}, kind
            checked = api.post("dest/check", tracker="altercpa_lite", settings=typed)
            assert checked["status"] == "error" or checked["data"]["ok"] is False, kind
    assert api.get("profile/tracker")["data"]["connected"] is False
    for word, _ in WORDS.values():
        assert api.post("profile/tracker", domain="t.example", key=word)["field"] == "key"


def test_a_name_is_no_doubt_where_the_operator_has_opened_a_network(api, world, change_settings):
    change_settings(outbound_allow=(ip_network("10.0.0.0/8"),))
    told = api.post("camp/edit", id=world.campaign(), pb_hold="http://keitaro/pb?c={click}")
    assert told == {"status": "ok"}


def test_an_invisible_character_in_prose_is_a_doubt_and_in_a_word_a_fault(closed):
    assert typed_addresses.settings_doubts({"payload": {"text": "Hello \u200bworld"}})
    typed_addresses.check_typed({"payload": {"text": "Hello \u200bworld"}})
    with pytest.raises(Exception, match="U\\+200B"):
        typed_addresses.check_typed({"payload": {"text": "Hello\u200b"}})


def test_a_sentence_shows_no_more_of_a_key_than_three_characters(api, closed):
    settings = {
        "preset": "keitaro",
        "fields": {"domain": "k.example", "postback_key": "abc1234\u200b"},
    }
    message = api.post("dest/add", tracker="url_template", settings=settings)["message"]
    assert "'234'" in message
    assert "1234" not in message
