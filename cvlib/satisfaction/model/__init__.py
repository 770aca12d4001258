"""What a satisfaction model is, and the file it is read from."""
