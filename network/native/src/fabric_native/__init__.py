"""Real Hyperledger Fabric as native processes: finds the official binaries."""
