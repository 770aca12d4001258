"""Pillar 1: satisfaction-index models by PLS and by covariance SEM, on the same data."""
