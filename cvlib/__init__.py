"""Customer satisfaction, indicator weights and lifetime value, with numbers a reviewer can check."""

__version__ = "0.1.0"
