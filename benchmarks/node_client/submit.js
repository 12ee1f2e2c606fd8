// The official Node.js client's side of benchmarks/client_submit.py: node submit.js SETTINGS COUNT IN_FLIGHT
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const { connect, signers } = require('@hyperledger/fabric-gateway');

const [settings, count, inFlight] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const named = JSON.parse(fs.readFileSync(settings, 'utf8'));
const file = (name) => fs.readFileSync(path.join(path.dirname(settings), name));
const value = 'v'.repeat(200);
const within = (seconds) => () => ({ deadline: Date.now() + seconds * 1000 });

async function run(contract, prefix, total) {
    let next = 0;
    const work = async () => {
        while (next < total) {
            const number = next++;
            await contract.submitTransaction(named.function, `${prefix}-${number}`, value);
        }
    };
    await Promise.all(Array.from({ length: inFlight }, work));
}

async function main() {
    const options = named.server_name ? { 'grpc.ssl_target_name_override': named.server_name } : {};
    const client = new grpc.Client(named.endpoint, grpc.credentials.createSsl(file('roots.pem')), options);
    const gateway = connect({
        client,
        identity: { mspId: named.msp_id || 'AlphaMSP', credentials: file('user.pem') },
        signer: signers.newPrivateKeySigner(crypto.createPrivateKey(file('user.key'))),
        endorseOptions: within(120),
        submitOptions: within(120),
        commitStatusOptions: within(300),
    });
    const contract = gateway.getNetwork(named.channel).getContract(named.chaincode);
    await run(contract, 'warm', 100);
    const began = process.hrtime.bigint();
    const cpu = process.cpuUsage();
    await run(contract, String(began), count);
    const seconds = Number(process.hrtime.bigint() - began) / 1e9;
    const spent = process.cpuUsage(cpu);
    gateway.close();
    client.close();
    process.stdout.write(JSON.stringify({ seconds, cpu: (spent.user + spent.system) / 1e6 }) + '\n');
}

main();
