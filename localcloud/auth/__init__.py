"""Who is calling: tokens and access keys, and the verification of both."""
