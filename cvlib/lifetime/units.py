"""Units of time and of money."""

DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
PERIODS_PER_YEAR = {unit: 365.25 / days for unit, days in DAYS.items()}
# Money is kept to a millionth: sums then do not depend on the order of the rows, and a purchase
# returned on the same day nets to exactly zero.
DECIMALS = 6
MONEY = f"decimal(38, {DECIMALS})"
