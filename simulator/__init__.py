"""A local Azure Resource Manager: requests in, ARM's answers and Event Grid's events out."""
