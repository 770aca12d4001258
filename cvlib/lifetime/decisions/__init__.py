"""What managers decide with customers: networks, offers, accounts, capacity, firm value."""
