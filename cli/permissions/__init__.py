"""What the agencies of a template have to be allowed, and the policies that allow it."""
