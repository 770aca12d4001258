"""The look: one style, one palette; every function takes tidy tables and returns a Figure."""
