"""What the owners of chats do with their desks: rules, decisions, blocked people, numbers."""
