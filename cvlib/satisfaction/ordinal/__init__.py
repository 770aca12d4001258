"""Ordered answers: polychoric correlations, their sampling error, and models fitted to them."""
