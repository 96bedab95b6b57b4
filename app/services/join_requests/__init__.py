"""The desk: requests to join, kept, decided by rules or people, and told to Telegram."""
