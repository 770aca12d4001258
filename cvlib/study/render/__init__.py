"""A run's folder as pages and documents."""
