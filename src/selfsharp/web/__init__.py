"""The page and the HTTP interface: one computer, its own photos."""
