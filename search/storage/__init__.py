"""The study database and the weights beside it: opening, writing, claims on work."""
