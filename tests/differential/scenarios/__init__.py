"""The scenarios, one module per family; each says in its docstring which rule of the server it shows."""
