"""What people write about policies: a folder of YAML files in; Policies, Cases or all errors at once out."""

from governor.policy_files.cases import Case, CaseEstate, Expected, load_cases
from governor.policy_files.errors import PolicyError, PolicyErrors
from governor.policy_files.folder import load
from governor.policy_files.shape import schema

__all__ = [
    "Case",
    "CaseEstate",
    "Expected",
    "PolicyError",
    "PolicyErrors",
    "load",
    "load_cases",
    "schema",
]
