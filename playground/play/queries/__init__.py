"""What the pages show, asked from the rows below."""
