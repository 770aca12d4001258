"""Models and simple rules judged on a period they never saw."""
