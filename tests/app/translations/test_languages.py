# ruff: noqa: RUF001 - what looks like Latin letters is Russian
"""An error is told in the language of whoever asked."""

import io
import time

import pytest

from app.dashboard import attention
from app.domain.welcome import markdown_fault
from app.extensions import db
from app.models import Account, AccountStatus
from app.sandbox.serving import running
from app.sandbox.vendors.altercpa import AltercpaDouble
from app.services.accounts import rate_limits
from app.services.accounts.accounts import Caller
from app.translations import use_language
from tests.support.world import World

URL = "https://track.example/postback"


@pytest.fixture
def russian(make_account):
    """A Russian account on the largest plan."""
    return make_account(lang="ru", tariff="tiger", paid_until=int(time.time()) + 30 * 86_400)


@pytest.fixture
def mine(api, russian):
    return api(russian.key)


def test_what_was_left_out_of_a_welcome_is_told_in_the_language_of_the_reader(mine, russian):
    fault = markdown_fault("a *lone mark")
    campaign = World(russian.id).campaign(chat_title="Новости", welcome_fault=fault)
    shown = "не найден конец выделения, которое начинается с байта 2"
    assert mine.get("camp/get", id=campaign)["data"]["welcome_fault"] == shown
    caller = Caller(russian.id, "ru", russian.tariff, russian.paid_until)
    with use_language("ru"):
        texts = [item.text for item in attention.items(caller, int(time.time()))]
    assert any("Новости" in text and shown in text for text in texts)
    db.session.get_one(Account, russian.id).lang = "en"
    db.session.commit()
    assert mine.get("camp/get", id=campaign)["data"]["welcome_fault"] == fault


def connect(api, **settings):
    return api.post("dest/add", tracker="url_template", settings=settings)


@pytest.mark.parametrize(
    ("path", "sent", "message"),
    [
        ("camp/pause", {"pause": 1}, "id: нужно указать"),
        ("camp/pause", {"id": None, "pause": 1}, "id: не может быть null"),
        ("camp/pause", {"id": "x", "pause": 1}, "id: нужно целое число"),
        ("camp/pause", {"id": 0, "pause": 1}, "id: нужно число от 1 до 9223372036854775807"),
        ("camp/pause", {"id": 1, "pause": 7}, "pause: нужно true, false, 1 или 0"),
        ("camp/pause", {"id": 99, "pause": 1}, "в этом аккаунте нет такого объекта"),
        ("profile/lang", {"lang": "de"}, "lang: возможные значения: en, ru"),
        ("profile/postbacks", {"pb_wait": 5}, "pb_wait: нужен текст"),
        ("profile/postbacks", {"pb_wait": "x" * 3000},
         "pb_wait: слишком длинный текст: больше 2048 символов"),
        ("profile/postbacks", {"pb_hold": "track.example"},
         "pb_hold: адрес должен начинаться с http:// или https://"),
        ("profile/postbacks", {"pb_hold": "https://{click}.example"},
         ("pb_hold: в домене стоит {click}; впишите туда домен самого трекера, "
          "макросы работают только после него")),
        ("dest/add", {"tracker": "keitaro9", "settings": {}},
         "tracker: трекера 'keitaro9' нет; смотрите trackers/list"),
        ("dest/add", {"tracker": "url_template"}, "settings: нужно указать"),
        ("dest/add", {"tracker": "webhook", "settings": {}}, "settings.url: нужно заполнить"),
        ("dest/check", {}, "id: укажите id либо tracker вместе с settings"),
        ("dest/pause", {"id": 1, "pause": [[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]},
         "pause: слишком глубокая вложенность"),
        ("transfer/bot", {"token": "x", "id": 1, "leads": 1},
         "такого токена нет ни у одного аккаунта; запросите его ещё раз"),
        ("tariff/buy", {"tariff": "cat"},
         ("до конца вашего тарифа больше 3 дней; "
          "продлить или сменить его можно в последние 3 дня")),
    ],
)  # fmt: skip
def test_a_russian_account_is_refused_in_russian(mine, path, sent, message):
    assert mine.post(path, **sent)["message"] == message


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({}, "settings.urls: выберите пресет или впишите URL"),
        ({"preset": "none"}, "settings.preset: такого пресета нет; есть: "),
        ({"urls": {"wait": URL}, "method": "PUT"}, "settings.method: возможные значения: GET, PO"),
        ({"urls": {"wait": URL}, "deliver_if": "x" * 300},
         "settings.deliver_if: слишком длинно: допустимая длина до 256"),
        ({"urls": {"wait": URL}, "answer_rules": [{}]},
         "settings.answer_rules: правило 1 должно говорить, что оно значит (means): "),
        ({"urls": {"wait": URL}, "stray": 1}, "settings.stray: неизвестное поле"),
        ({"urls": 5}, "settings.urls: значение не того типа"),
        ({"preset": "keitaro", "fields": {"domain": "http://a.example"}},
         "settings.fields.domain: нужен только домен, без http:// и https://"),
        ({"preset": "keitaro", "fields": {"domain": "a.example:99999"}},
         "settings.fields.domain: не подходит: порт 99999 нам недоступен"),
    ],
)  # fmt: skip
def test_settings_are_refused_in_russian(mine, typed, message):
    assert connect(mine, **typed)["message"].startswith(message)


def test_too_many_days_are_refused_with_their_number(mine, api):
    asked = {"from": 0, "to": 400 * 86_400}
    assert mine.get("stats/daily", **asked)["message"] == "from: за один раз не больше 366 дней"
    assert api.get("stats/daily", **asked)["message"] == "from: at most 366 days at a time"


def test_a_plan_refuses_in_russian(api, make_account, world_of):
    poor = make_account(lang="ru")
    world = world_of(poor.id)
    bot = world.bot()
    world.campaign(bot_id=bot)
    answer = api(poor.key).post("camp/add", bot=bot, chat=world.chat(bot))
    assert answer["error"] == "limit"
    assert answer["message"] == "достигнуто число кампаний, доступное на тарифе"


def test_a_plan_that_cannot_be_paid_for_is_refused_in_russian(api, make_account):
    answer = api(make_account(lang="ru").key).post("tariff/buy", tariff="cat")
    assert answer["error"] == "gateway"
    assert answer["message"] == "оплата сейчас невозможна; попросите тариф у оператора"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[1]", "тело запроса должно быть объектом JSON или формой"),
        ('{"": NaN}', "тело запроса: есть число или символ, которые нельзя прочитать"),
        ('{"lang": NaN}', "lang: есть число или символ, которые нельзя прочитать"),
        ('{"lang": "' + "x" * 300_000 + '"}', "запрос слишком велик"),
    ],
)
def test_a_body_is_refused_in_russian(client, russian, body, message):
    headers = {"Authorization": f"Bearer {russian.key}", "Content-Type": "application/json"}
    told = client.post("/api/profile/lang.json", data=body, headers=headers).get_json()
    assert told["message"] == message


def test_a_file_is_refused_in_russian(client, russian):
    answer = client.post(
        "/api/media/upload.json",
        data={"file": (io.BytesIO(b"no picture"), "a.png")},
        headers={"Authorization": f"Bearer {russian.key}"},
    ).get_json()
    assert answer["message"] == "file: это не картинка JPEG, PNG или WebP и не видео MP4"


def test_a_token_is_refused_in_russian_with_what_telegram_says(mine, bot_api):
    assert mine.post("bots/add", token="1:unknown")["message"].startswith("Telegram не принял")


@pytest.mark.parametrize(
    ("domain", "message"),
    [
        ("10.0.0.1", "10.0.0.1 не в открытом интернете (частная сеть)"),
        ("169.254.169.254", "169.254.169.254 не в открытом интернете (метаданные облака)"),
    ],
)
def test_an_address_that_is_not_public_is_refused_in_russian(mine, domain, message):
    answer = mine.post("profile/tracker", domain=domain, key="42-abc")
    assert answer["error"] == "connect"
    assert answer["message"] == f"трекер не принял этот домен и ключ: {message}"


def test_a_port_that_is_never_called_is_refused_in_russian_when_it_is_typed(mine):
    answer = mine.post("profile/tracker", domain="a.example:22", key="42-abc")
    assert answer["error"] == "param"
    assert answer["message"] == (
        "domain: не подходит: порт 22 нам недоступен: возьмите 80, 443 или от 1024 до 65535"
    )


def test_what_a_tracker_answers_is_told_in_russian(mine, api, change_settings):
    import ipaddress

    change_settings(outbound_allow=(ipaddress.ip_network("127.0.0.0/8"),))
    with running(AltercpaDouble()) as url:
        domain = url.removeprefix("http://")
        told = mine.post("profile/tracker", domain=domain, key="42-wrong")
        english = api.post("profile/tracker", domain=domain, key="42-wrong")
    assert told["message"] == "трекер не принял этот домен и ключ: трекер не принимает ключ"
    assert english["message"] == (
        "the tracker did not accept this domain and key: the tracker does not accept the key"
    )


def test_a_suspended_or_unpaid_account_is_told_in_its_language(api, russian):
    row = db.session.get(Account, russian.id)
    row.paid_until = int(time.time()) - 30 * 86_400
    db.session.commit()
    assert api(russian.key).get("camp/list")["message"].startswith("тариф закончился")
    row.status = AccountStatus.BANNED
    db.session.commit()
    assert api(russian.key).get("camp/list")["message"] == "этот аккаунт заблокирован"
    assert api.get("camp/get", id=99)["message"] == "there is no such object in this account"


def test_who_calls_too_often_is_told_in_their_language(mine, monkeypatch):
    monkeypatch.setattr(
        rate_limits, "AUTHENTICATED", rate_limits.Limit("test-callers", per_minute=0.01, burst=1)
    )
    answers = [mine.get("profile/info") for _ in range(3)]
    assert answers[-1]["message"].startswith("слишком много запросов")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "the API key is missing or wrong"),
        ({"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8"}, "ключ API не указан или неверен"),
        ({"Accept-Language": "en-US,ru;q=0.5"}, "the API key is missing or wrong"),
        ({"Accept-Language": "de"}, "the API key is missing or wrong"),
        ({"Accept-Language": "\xff;;q=x"}, "the API key is missing or wrong"),
    ],
)
def test_a_stranger_is_told_in_the_language_of_the_request(client, asked, message):
    told = client.get("/api/profile/info.json", headers=asked).get_json()
    assert told["message"] == message


def test_an_account_s_language_goes_before_that_of_the_request(client, account):
    headers = {"Authorization": f"Bearer {account.key}", "Accept-Language": "ru"}
    told = client.get("/api/camp/get.json?id=99", headers=headers).get_json()
    assert told["message"] == "there is no such object in this account"


@pytest.mark.parametrize(
    ("path", "sent", "warning"),
    [
        ("profile/postbacks", {"pb_wait": "https://t.example/pb?c={click}&s={subid1}"},
         "pb_wait: {subid1} здесь не макрос и отправляется как есть"),
        ("profile/postbacks", {"pb_hold": "https://t.example/pb"},
         "pb_hold: без {click} трекер не поймёт, чьё это событие"),
        ("profile/postbacks",
         {"pb_hold": "https://t.example/postback?clickid={click}&sum=1&status=paid"},
         ("pb_hold: Affise или RedTrack не знает статуса 'paid', только: "
          "1, 2, 3, 5 или approved, pending, declined, other")),
        ("postbacks/test", {"template": "https://t.example/pb?s={click}&{subid1}", "event": "hold"},
         "template: {subid1} здесь не макрос и отправляется как есть"),
    ],
)  # fmt: skip
def test_a_russian_account_is_warned_in_russian(mine, path, sent, warning):
    answer = mine.post(path, **sent)
    assert answer["status"] == "ok"
    assert answer["warnings"] == [warning]
