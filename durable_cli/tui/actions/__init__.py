"""What can be done to the server and what it holds: asked, confirmed, done by the feed, said."""
