"""What screens are made of; nothing here talks to a server."""
