"""The host tool of Fuselage. Standard library only; each command is a module, imported when used."""
