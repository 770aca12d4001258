"""Customer satisfaction, indicator weights and lifetime value: numbers a reviewer can check."""

__version__ = "0.1.0"
