"""Peers with one contract, `types.Generator`: whatever turns a Request into Steps. Imports none of them here."""
