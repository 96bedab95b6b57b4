"""Presets against the tables of presets.md 4.1 and 4.2, written down a second time.

The other tests ask whether a file is sound; this one, whether it says what the
tracker wants to hear. Whoever changes a file changes the line here too, with
the vendor's page open.
"""

import pytest

from plugins.contract import EventKind
from plugins.trackers.url_template.presets import presets

KEITARO = (
    "return=postback-recorded&lead_status={status_wait},{status_hold}&sale_status={status_approve}"
    "&rejected_status={status_cancel},{status_trash}"
)
TAPPADS = (
    "https://wallapi.tappads.io/v1/tapp-cpa?pubid={publisher}&m=2&advert_id={advert_id}"
    "&click_id={click}&offer_id={offer_id}&telegram_id={subscriber}"
    "&startapp={campaign}-{click}&is_old={is_old}"
)
CHATTERFY = "https://api.chatterfy.ai/api/postbacks/{postback_key}/tracker-postback"

#: How an approval is reported, by preset and mode.
APPROVALS = {
    "keitaro one": "https://{domain}/{postback_key}/postback?subid={click}&status={status}"
    f"&payout={{payout}}&currency={{currency}}&{KEITARO}",
    "keitaro separate": "https://{domain}/{postback_key}/postback?subid={click}&status={status}"
    f"&tid={{lead}}-{{status}}&payout={{payout}}&currency={{currency}}&{KEITARO}",
    "binom one": "https://{domain}/click.php?cnv_id={click}&payout={payout}"
    "&cnv_status={status}&cnv_currency={currency}",
    "binom_v2 one": "https://{domain}/{path}?cnv_id={click}&payout={payout}"
    "&cnv_status={status}&cnv_currency={currency}",
    "voluum separate": "https://{domain}/postback?cid={click}&payout={payout}"
    "&txid={lead}-{status}&et={status}&currency={currency}",
    "voluum approve": "https://{domain}/postback?cid={click}&payout={payout}&txid={lead}"
    "&currency={currency}",
    "redtrack separate": "https://{domain}/postback?clickid={click}&sum={payout}&type={status}"
    "&rdtk_event_id={lead}-{status}",
    "redtrack one": "https://{domain}/postback?clickid={click}&sum={payout}&status={status}",
    "bemob one": "https://{domain}/postback?cid={click}&payout={payout}&txid={lead}"
    "&status={status}",
    "peerclick one": "https://pstb.peerclick.com/postback?cid={click}&payout={payout}"
    "&status={status}&txid={lead}&currency={currency}",
    "peerclick separate": "https://pstb.peerclick.com/postback?cid={click}&payout={payout}"
    "&status={status}&txid={lead}-{status}&currency={currency}",
    "clickflare separate": "https://{domain}/cf/cv?click_id={click}&payout={payout}"
    "&txid={lead}-{status}&ct={status}",
    "clickflare approve": "https://{domain}/cf/cv?click_id={click}&payout={payout}&txid={lead}",
    "funnelflux approve": "https://{domain}/pb/?hit={click}&rev={payout}&tx={lead}",
    "funnelflux separate": "https://{domain}/pb/?hit={click}&rev={payout}&tx={lead}-{status}",
    "prosper202 approve": "https://{domain}/tracking202/static/gpb.php?subid={click}"
    "&amount={payout}&txid={lead}",
    "scaleo one": "https://{domain}/track/conv-addchange?click_id={click}&token={token}"
    "&goal_id={goal}&conv_status={status}&adv_order_id={lead}",
    "scaleo separate": "https://{domain}/track/conv?click_id={click}&token={token}"
    "&goal_id={goal}&conv_status={status}&adv_order_id={lead}-{status}",
    "affise one": "https://{domain}/postback?clickid={click}&action_id={lead}&goal={goal}"
    "&sum={payout}&status={status}&secure={secure_key}",
    "affise separate": "https://{domain}/postback?clickid={click}&action_id={lead}-{status}"
    "&goal={goal}&sum={payout}&status={status}&secure={secure_key}",
    "altercpa one": "https://{domain}/api/tracker/postback.json?id={token}&click={click}"
    "&uid={lead}&status={status}",
    "altercpa_pro one": "https://{domain}/api/site/status.json?token={token}&click={click}"
    "&status={status}&auto=1&exto={lead}",
    "chatterfy separate": f"{CHATTERFY}?tracker.event={{status}}&clickid={{click}}"
    "&tracker.cost={payout}&tracker.currency={currency}&tracker.tid={lead}-{status}",
    "chatterfy approve": f"{CHATTERFY}?tracker.event={{status}}&clickid={{click}}"
    "&tracker.cost={payout}&tracker.currency={currency}&tracker.tid={lead}",
    "richads approve": "https://us.ahows.co/log?action=conversion&key={click}",
    "adsgram approve": "https://api.adsgram.ai/confirm_conversion?token={token}"
    "&record={click}&goaltype={status}",
    "adsgram_cpa approve": "https://api.adsgram.ai/postback/common?type={status}&click_id={click}",
    "adsgram_telegram approve": "https://api.adsgram.ai/confirm_conversion?token={token}"
    "&tgid={subscriber}&campaignid={campaign_id}&goaltype={status}",
    "tappads approve": TAPPADS,
    "tappads separate": TAPPADS + "&event_name={status}",
    "ton_ai approve": "https://app.ton.ai/api/v2/openapi/ad/event/report/conversion",
    "onclicka approve": "https://tracking.onclicka.com/in/postbacks/?token={token}"
    "&campaign_id={campaign_id}&click_id={click}&payout={payout}",
    "tgtracker approve": "https://s2s.tgtracker.io/?external_id={click}&event={status}"
    "&currency={currency}&amount={payout}",
    "grampixel separate": "https://api.grampixel.com/v1/events/custom",
    "matomo approve": "https://{domain}/matomo.php?idsite={site_id}&rec=1&idgoal={goal}"
    "&revenue={payout}&_id={click}&cdt={time}&token_auth={token}&send_image=0&cid={click}",
}
APPROVALS |= {f"orbitra {mode}": APPROVALS[f"keitaro {mode}"] for mode in ("one", "separate")}

OURS = "wait hold approve cancel trash"
TYPES = "Start JoinRequest Subscribe Unsubscribe Kicked"
#: The words for wait, hold, approve, cancel and trash where all five are reported.
WORDS = {
    "keitaro": OURS,  # translated in the URL
    "orbitra": OURS,
    "binom": OURS,
    "binom_v2": OURS,
    "funnelflux": OURS,
    "altercpa_pro": OURS,
    "altercpa": "new hold approve cancel trash",
    "voluum": TYPES,
    "clickflare": TYPES,
    "grampixel": TYPES,
    "redtrack separate": TYPES,
    "redtrack one": "pending pending approved declined declined",
    "affise": "2 5 1 3 3",
    "scaleo": "pending hold approved rejected rejected",
    "bemob": "new hold approved rejected trash",
    "peerclick": "new hold approved rejected trash",
    "chatterfy": "start request registration unsubscribe kicked",
}
#: Where the word of an approval is the tracker's own, and nothing else is reported.
ONLY = {
    "adsgram": "1", "adsgram_cpa": "install", "adsgram_telegram": "1",
    "chatterfy": "registration", "tgtracker": "reg", "ton_ai": "conversion",
}  # fmt: skip

MODES = [(preset, mode) for preset in presets().values() for mode in preset.modes]
EACH = pytest.mark.parametrize(("preset", "mode"), MODES, ids=[f"{p.key} {m}" for p, m in MODES])


def taken_apart(url: str) -> tuple[str, list[str]]:
    """The order of parameters says nothing."""
    address, _, query = url.partition("?")
    return address, sorted(query.split("&"))


@EACH
def test_an_approval_is_told_as_the_tracker_wants_it(preset, mode):
    url = preset.modes[mode].urls[EventKind.APPROVE]
    assert taken_apart(url) == taken_apart(APPROVALS[f"{preset.key} {mode}"])


@EACH
def test_other_events_are_told_at_the_same_address_and_without_money(preset, mode):
    money = {"{payout}", "{currency}", "{no_payout}", "0"}
    # Where a leave takes back the approval's own conversion.
    transactions = {"{lead}-{status}", "{lead}-{status_approve}"}
    urls = preset.modes[mode].urls
    address, parameters = taken_apart(urls[EventKind.APPROVE])
    for kind, url in urls.items():
        if (preset.key, kind) == ("altercpa_pro", EventKind.WAIT):
            assert url.partition("?")[0] == "https://{domain}/api/site/click.json"
            continue
        other_address, others = taken_apart(url)
        if preset.key == "scaleo" and kind in (EventKind.CANCEL, EventKind.TRASH):
            assert other_address == "https://{domain}/track/conv-addchange"
        else:
            assert other_address == address
        if kind is not EventKind.APPROVE and mode == "separate":
            differ = set(others) ^ set(parameters)
            assert {pair.partition("=")[2] for pair in differ} <= money | transactions
            assert not {"{payout}", "{currency}"} & {pair.partition("=")[2] for pair in others}


@EACH
def test_the_words_are_the_trackers(preset, mode):
    words_by_kind = preset.modes[mode].statuses
    if set(words_by_kind) == set(EventKind):
        words = WORDS.get(f"{preset.key} {mode}") or WORDS[preset.key]
        assert [words_by_kind[kind] for kind in EventKind] == words.split()
    elif preset.key == "tappads" and mode == "separate":
        assert list(words_by_kind.values()) == ["start", "request", "subscribe"]
    else:
        assert list(words_by_kind) == [EventKind.APPROVE]
        assert "{status}" not in str([preset.modes[mode].urls, preset.payload]) or (
            words_by_kind[EventKind.APPROVE] == ONLY[preset.key]
        )


def test_every_mode_of_every_preset_is_written_down_here():
    assert sorted(APPROVALS) == sorted(f"{preset.key} {mode}" for preset, mode in MODES)
