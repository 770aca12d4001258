"""Units of time."""

DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
PERIODS_PER_YEAR = {unit: 365.25 / days for unit, days in DAYS.items()}
