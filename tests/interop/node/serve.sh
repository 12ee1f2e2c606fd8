#!/bin/sh
# Runs the contract as a chaincode service, as the official samples' docker-entrypoint.sh does.
# Usage: serve.sh DIRECTORY_WITH_NODE_MODULES; the rest is in the variables of chaincode-as-a-service.
set -eu
NODE_PATH="$1/node_modules"
export NODE_PATH
exec "$1/node_modules/.bin/fabric-chaincode-node" server \
    --module-path "$(dirname "$0")" \
    --chaincode-address "$CHAINCODE_SERVER_ADDRESS" \
    --chaincode-id "$CORE_CHAINCODE_ID" \
    --chaincode-tls-key-file "$CHAINCODE_TLS_KEY" \
    --chaincode-tls-cert-file "$CHAINCODE_TLS_CERT" \
    --chaincode-tls-client-cacert-file "$CHAINCODE_CLIENT_CA_CERT"
