"""What concerns the APIs of ad platforms only: Meta's ids, and purchases without a value."""
