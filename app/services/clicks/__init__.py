"""Traffic sources, the clicks that go through their links, and the starts that bring them back."""
