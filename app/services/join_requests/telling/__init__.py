"""Decisions on their way to Telegram: claimed, told and settled at the pace of their bots."""
