import json
from urllib.parse import urlencode

import pytest

from app.domain.telegram.init_data import InitDataRefused, read_init_data, sign

#: What the documentation of github.com/Telegram-Mini-Apps shows as an example, with its token.
TOKEN = "5768337691:AAH5YkoiEuPk8-FZa32hStHTqXiLPtAEhx8"
RECORDED = (
    "query_id=AAHdF6IQAAAAAN0XohDhrOrc&user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22"
    "Vladislav%22%2C%22last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22"
    "language_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%7D&auth_date=1662771648&hash="
    "c501b71e775f74ce10e377dea85a7ea24ecd640b223ea86dfe453e0eaed2e2b2"
)
NOW = 1_662_771_648
ANN = '{"id": 5, "first_name": "Ann"}'


def made(token=TOKEN, **fields):
    signed = {"auth_date": str(NOW), "user": ANN, **fields}
    return urlencode({**signed, "hash": sign(signed, token)})


def test_a_recorded_opening_is_read():
    person, _ = read_init_data(RECORDED, TOKEN, NOW)
    assert (person.id, person.username, person.premium) == (279_058_397, "vdkfrost", True)


def test_what_telegram_has_signed_names_the_person():
    person, signature = read_init_data(made(), TOKEN, NOW + 100)
    assert (person.id, person.first_name) == (5, "Ann")
    assert len(signature) == 64


@pytest.mark.parametrize("age", [301, 86_400, -61])
def test_what_is_old_or_of_the_future_is_refused(age):
    with pytest.raises(InitDataRefused):
        read_init_data(made(), TOKEN, NOW + age)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "hash=",
        made(token="1:other"),
        made() + "&user=" + ANN,
        made().replace("Ann", "Eve"),
        made().rpartition("&hash=")[0],
        made() + "0",
        made() + "%ff%f0",
        made(user=""),
        made(user="[1]"),
        made(user="[" * 3000),
        made(user='{"id": "5", "first_name": "Ann"}'),
        made(user=json.dumps({"id": 5, "first_name": "Ann", "is_bot": True})),
        made(auth_date="yesterday"),
        made(auth_date="²"),
        "&".join(f"x{number}=1" for number in range(40)),
    ],
)
def test_everything_else_is_refused(text):
    with pytest.raises(InitDataRefused):
        read_init_data(text, TOKEN, NOW)


def test_without_a_token_nothing_is_signed():
    with pytest.raises(InitDataRefused):
        read_init_data(made(token=""), "", NOW)
