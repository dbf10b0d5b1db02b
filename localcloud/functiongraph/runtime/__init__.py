"""FunctionGraph's runtime: a function in a process of its own, whether from a checkout or from a package."""
