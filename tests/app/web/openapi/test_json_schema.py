"""Fields become the JSON Schema of what they take and of what they show."""

from app.schemas import Input, Output, fields
from app.web.openapi.json_schema import shape


def test_an_unknown_field_is_what_its_class_declares():
    class Shade(fields.Field[str]):
        """Of a colour."""

    class Weight(fields.Field[float]):
        """In kilograms."""

    assert shape(Shade()) == {"type": "string"}
    assert shape(Weight()) == {"type": "number"}


def test_limits_of_a_parameter_are_not_those_of_an_answer():
    class Given(Input):
        """A parameter."""

        number = fields.Int(1, 9)

    class Told(Output):
        """An answer."""

        number = fields.Int(1, 9)

    assert shape(Given().fields["number"])["maximum"] == 9
    assert "maximum" not in shape(Told().fields["number"])
