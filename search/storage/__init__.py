"""The study database and the files beside it: opening, claims on work, kept weights."""
