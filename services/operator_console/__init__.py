"""The operator's page: static files, their configuration, and the exchange of a link for an operator's right."""
