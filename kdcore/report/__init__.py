"""Results as text: tables to read, to paste and to typeset."""
