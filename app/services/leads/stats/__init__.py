"""What an account asks about its numbers. All of it reads aggregates."""
