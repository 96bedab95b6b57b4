import pytest

from app.errors import BadParameter
from app.services.service_bot import sessions
from app.services.service_bot.telegram import mini_app
from tests.support.desk import ANN, BROWSER
from tests.support.mini_app import init_data


@pytest.fixture(autouse=True)
def _counters(desk, clean_redis):
    pass


def test_whose_dashboard_it_is_has_the_name_of_the_account_and_the_username(desk):
    assert mini_app.owner_of(init_data(ANN)) == "Ann Lee (@ann_lee)"
    assert desk.account_of(ANN) is None


def test_each_opening_logs_in_once():
    data = init_data(ANN)
    token = mini_app.log_in(data, BROWSER)
    assert sessions.authenticate(token).name == "Ann Lee"
    with pytest.raises(BadParameter):
        mini_app.log_in(data, BROWSER)


def test_the_token_of_another_bot_proves_nothing():
    with pytest.raises(BadParameter):
        mini_app.log_in(init_data(ANN, token="1:another"), BROWSER)
