"""What the suite says, in every language: catalogues, methods, literature."""
