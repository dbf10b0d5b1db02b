"""Identity and Access Management: projects, tokens, temporary access keys, agencies and their policies."""
