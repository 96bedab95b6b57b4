"""Conversions that others tell us of: registrations, purchases and refunds of leads."""
