"""Score cards: the figures of a sweep, what its criteria answer, and its worst runs; as JSON and as one page."""
