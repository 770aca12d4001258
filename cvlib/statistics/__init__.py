"""Statistics that every pillar uses."""
