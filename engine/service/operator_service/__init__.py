"""OperatorService: search attributes, namespaces, cluster."""
