"""Pillar 2: indicator systems weighted by experts and by data, compared, combined, scored."""
