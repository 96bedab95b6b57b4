"""The public API as a document: OpenAPI 3.1 from the routes and their schemas.

`endpoints` lists what the decorators of each view were given, `json_schema` turns our
strict fields into JSON Schema, `document` puts them together. templates/docs.html shows
the document to people.
"""
