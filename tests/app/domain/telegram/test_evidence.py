import pytest

from app.domain.telegram.evidence import NO_EVIDENCE, Arrival, Evidence

BOT = 99
LINK = "https://t.me/+AbCdEf"


@pytest.mark.parametrize(
    ("evidence", "arrival"),
    [
        (NO_EVIDENCE, Arrival.UNKNOWN),
        (Evidence(link=LINK, link_creator=BOT), Arrival.LINK),
        (Evidence(link=LINK, link_creator=BOT, requested=True), Arrival.LINK),
        (Evidence(link=LINK, link_creator=5), Arrival.OTHER_LINK),
        (Evidence(link=LINK), Arrival.OTHER_LINK),
        (Evidence(requested=True), Arrival.REQUEST),
        (Evidence(via_folder=True), Arrival.FOLDER),
        (Evidence(link=LINK, via_folder=True), Arrival.FOLDER),
    ],
)
def test_the_way_is_told_by_what_telegram_says(evidence: Evidence, arrival: Arrival) -> None:
    assert evidence.arrival(BOT) is arrival


def test_each_way_has_its_word_but_the_unknown() -> None:
    labels = [arrival.label for arrival in Arrival]
    assert labels == ["", "link", "other_link", "request", "folder"]


@pytest.mark.parametrize(
    "link",
    [
        "https://t.me/+AbCdEf",
        "http://t.me/joinchat/AbCdEf",
        "t.me/+AbCdEf",
        "https://telegram.me/+AbCdEf",
        "https://telegram.dog/joinchat/AbCdEf",
        "tg://join?invite=AbCdEf",
    ],
)
def test_one_link_has_one_key_however_it_is_written(link: str) -> None:
    key = Evidence(link=link).link_key
    assert key == Evidence(link=LINK).link_key
    assert key is not None
    assert len(key) == 32
    assert "AbCdEf" not in key


@pytest.mark.parametrize(
    "link",
    ["", "https://t.me/+AbCd…", "https://t.me/channel", "https://t.me/+", "https://e.com/+AbCdEf"],
)
def test_a_link_that_is_cut_or_no_invitation_has_no_key(link: str) -> None:
    assert Evidence(link=link).link_key is None


def test_links_that_differ_in_case_are_two() -> None:
    assert Evidence(link=LINK).link_key != Evidence(link=LINK.lower()).link_key
