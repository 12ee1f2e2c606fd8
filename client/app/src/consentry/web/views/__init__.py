"""What pages show, as typed values read from the index: bounded, without words of any language."""
