"""Weights from experts: judgements, AHP, consistency, groups."""
