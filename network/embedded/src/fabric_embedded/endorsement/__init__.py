"""What a peer does with a proposal: check, simulate, endorse (`core/endorser`)."""
