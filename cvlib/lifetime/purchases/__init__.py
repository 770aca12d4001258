"""From transactions to purchase days, customers and histories."""
