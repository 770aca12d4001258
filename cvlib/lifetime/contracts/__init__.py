"""Customers under contract: cohorts, survival, and how well they are forecast."""
