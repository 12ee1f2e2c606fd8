"""The command line ``consentry``: parse, call, format; one module a group of commands."""
