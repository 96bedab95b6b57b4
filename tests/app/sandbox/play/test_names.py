"""A name is the same person at every start."""

from app.sandbox.play.names import Names, chat


def test_a_name_has_one_id_whatever_its_letters():
    first, second = Names(), Names()
    assert first.person("Ann") == second.person("Ann")
    assert first.person("ANN").id == first.person("ann").id
    assert first.person("Ann").id != first.person("Ben").id
    assert 0 < first.person("Ann").id < 2**52


def test_only_a_name_that_telegram_would_take_is_a_username():
    names = Names()
    assert names.person("Ann").username == "ann"
    assert names.person("Ann Lee").username == ""
    assert names.person("Аня").username == ""


def test_names_are_found_again_by_their_ids():
    names = Names()
    assert names.name_of(names.person("Ann").id) == "Ann"
    assert names.name_of(5) == "5"


def test_chats_have_ids_as_telegram_gives_them():
    assert chat("News") == chat("News")
    assert str(chat("News").id).startswith("-100")
    assert chat("News").id != chat("Views").id
    assert (chat("Club", "supergroup").type, chat("Club").type) == ("supergroup", "channel")
