import time

import pytest
from sqlalchemy import select

from app.domain.telegram.person import Person
from app.errors import BadKey, BadParameter
from app.models import Login, NoticeKind
from app.services.service_bot import UNDO, sessions
from app.services.service_bot.telegram import proved
from tests.support.desk import ANN, BROWSER, rows

WHO = Person(ANN.id, ANN.username, ANN.first_name, ANN.last_name, "en")


@pytest.fixture(autouse=True)
def _counters(desk, clean_redis):
    pass


def test_a_proof_opens_a_session_once():
    token = proved.open_session(WHO, "proof", BROWSER, time.time())
    assert sessions.authenticate(token).name == "Ann Lee"
    with pytest.raises(BadParameter):
        proved.open_session(WHO, "proof", BROWSER, time.time())


def test_the_person_is_told_and_can_undo_it(desk):
    token = proved.open_session(WHO, "proof", BROWSER, time.time())
    assert [notice.kind for notice in desk.notices()] == [NoticeKind.SESSION]
    (login,) = rows(select(Login))
    desk.press(ANN, f"{UNDO}:{login.id}")
    with pytest.raises(BadKey):
        sessions.authenticate(token)
