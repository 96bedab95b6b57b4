"""Pictures and films for welcomes: what Telegram takes, and what a file says of itself."""
