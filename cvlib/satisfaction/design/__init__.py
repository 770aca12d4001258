"""Surveys before the field: simulation, sample size, questionnaire."""
