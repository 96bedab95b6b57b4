"""Everything that leaves: the one door out."""
