"""What comes in: data sets, readers, contracts, and the files a user writes."""
