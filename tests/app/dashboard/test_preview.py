from app.dashboard.preview import Piece, preview, split


def shown(template, **options):
    given = {"title": "News", "code": "abc123", "button_url": "", "has_media": False, **options}
    return preview(template, **given)


def test_marks_become_pieces_and_macros_their_values():
    pieces = shown("Hi *{username}*, 😀 _x_ `{click}` [go](https://a.example/?c={click})").pieces
    assert pieces == [
        Piece("Hi "),
        Piece("anna", "bold"),
        Piece(", 😀 "),
        Piece("x", "italic"),
        Piece(" "),
        Piece("abc123", "code"),
        Piece(" "),
        Piece("go", "text_link", "https://a.example/?c=abc123"),
    ]


def test_a_link_that_is_no_web_page_is_text():
    entities = [{"type": "text_link", "offset": 0, "length": 2, "url": "javascript:alert(1)"}]
    assert split("go", entities) == [Piece("go", "text_link", "")]


def test_a_fault_and_the_button_are_told():
    assert "end of the entity" in shown("broken *mark").fault
    assert (
        shown("x", button_url=" https://a.example/{click} ").button_url
        == "https://a.example/abc123"
    )
    assert shown("x", button_url="no address").button_url == ""
    assert shown("").pieces == []
    assert "1024" in shown("x" * 2000, has_media=True).fault
