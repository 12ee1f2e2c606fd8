"""An in-memory Fabric ledger for tests of chaincode written with fabric_shim."""
