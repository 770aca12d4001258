"""What surveys of service, needs and brands show: gaps, profiles, opportunities, chains."""
