"""What Sphinx needs to know about this project."""
