"""Covariance structure models: layout, likelihood, starts, inference, invariance."""
