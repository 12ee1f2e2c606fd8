#!/bin/sh
# Runs the contract as a chaincode service, as the official samples' docker-entrypoint.sh does.
# Usage: serve.sh NODE_MODULES; the rest is in the variables of chaincode-as-a-service.
set -eu
NODE_PATH="$1"
export NODE_PATH
set -- "$1/.bin/fabric-chaincode-node" server --module-path "$(dirname "$0")" \
    --chaincode-address "$CHAINCODE_SERVER_ADDRESS" --chaincode-id "$CORE_CHAINCODE_ID"
if [ "${CHAINCODE_TLS_DISABLED:-false}" != true ]; then
    set -- "$@" --chaincode-tls-key-file "$CHAINCODE_TLS_KEY" --chaincode-tls-cert-file "$CHAINCODE_TLS_CERT" \
        --chaincode-tls-client-cacert-file "$CHAINCODE_CLIENT_CA_CERT"
fi
exec "$@"
