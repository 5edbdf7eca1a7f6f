"""The local Functions host: an azure-functions app in, its triggers served on loopback as in Azure out."""
