"""Weights from data: entropy and its relatives, and what an outcome teaches."""
