"""What runs a Python worker in the user's own interpreter; it imports the standard library and temporalio only."""
