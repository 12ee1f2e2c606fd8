"""The peer's side of Fabric's chaincode protocol (`core/chaincode/handler.go`), over dialled services."""
