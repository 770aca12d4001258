"""A survey's answers, what was done about missing ones, and their moments."""
