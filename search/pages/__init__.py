"""Pages: what stands on them, and how they are written as HTML and Markdown."""
