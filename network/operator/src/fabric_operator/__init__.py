"""What an operator of a Fabric network needs under either engine: processes, ports, private files."""
