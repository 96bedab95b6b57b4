"""Decisions: no Flask, no database, no clock, no network."""
