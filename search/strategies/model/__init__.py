"""The model of all scores, which says what is known of each candidate."""
