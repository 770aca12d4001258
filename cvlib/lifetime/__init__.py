"""Pillar 3: what a customer is worth and whether they stay, validated on a holdout."""
