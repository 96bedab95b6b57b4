"""Invite links: made ahead, handed out to clicks, recognised when people come, and revoked."""
