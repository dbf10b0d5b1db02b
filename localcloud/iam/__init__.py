"""Identity and Access Management: projects, tokens, temporary access keys, agencies and what they may do."""
