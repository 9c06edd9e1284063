"""Questions that stand over a screen: each answers with a value, or with None when it was left."""
