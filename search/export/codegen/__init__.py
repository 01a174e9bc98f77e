"""The plain torch source of a network, as a person would write it."""
