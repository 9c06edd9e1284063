"""WorkflowService: one module per family of RPCs; every handler takes (service, request, call)."""
