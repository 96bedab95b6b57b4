"""Verbs. The only code that commits."""
