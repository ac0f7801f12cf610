"""Every outbound request is made here."""
