"""The public API as a document: OpenAPI 3.1 from the routes and their schemas.

Nothing is said twice: `endpoints` reads what each view takes and answers,
`shapes` turns our strict fields into JSON Schema, `document` puts them
together. templates/docs.html shows that to people.
"""
