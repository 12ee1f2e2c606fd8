// The official Node.js client, driven by JSON lines: {"do": …, …} on standard input, {"result"} or {"error"} on
// standard output. Bytes travel as base64 where the name ends in "64", as UTF-8 text elsewhere.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const readline = require('node:readline');
const grpc = require('@grpc/grpc-js');
const { checkpointers, connect, signers } = require('@hyperledger/fabric-gateway');

const text = (bytes) => Buffer.from(bytes).toString('utf8');
const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const sessions = new Map();

/** A connection of one user to one peer; without a signer whatever is not signed beforehand is refused. */
function open({ name, endpoint, tlsRoots, serverName, mspId, certificate, key, offline = false }) {
    const credentials = grpc.credentials.createSsl(fs.readFileSync(tlsRoots));
    const client = new grpc.Client(endpoint, credentials, { 'grpc.ssl_target_name_override': serverName });
    const sign = signers.newPrivateKeySigner(crypto.createPrivateKey(fs.readFileSync(key)));
    const identity = { mspId, credentials: fs.readFileSync(certificate) };
    const gateway = connect({ client, identity, ...(offline ? {} : { signer: sign }) });
    sessions.set(name, { client, gateway, sign, identity });
    return null;
}

const network = (command) => sessions.get(command.as).gateway.getNetwork(command.channel);
const contract = (command) => network(command).getContract(command.chaincode, command.contract);

function options({ arguments: values = [], transient, organizations }) {
    return {
        arguments: values,
        ...(transient ? { transientData: transient } : {}),
        ...(organizations ? { endorsingOrganizations: organizations } : {}),
    };
}

function status({ code, blockNumber, successful, transactionId }) {
    return { code, blockNumber: Number(blockNumber), successful, transactionId };
}

async function evaluate(command) {
    return text(await contract(command).evaluate(command.function, options(command)));
}

async function submit(command) {
    return text(await contract(command).submit(command.function, options(command)));
}

async function submitAsync(command) {
    const submitted = await contract(command).submitAsync(command.function, options(command));
    const result = text(submitted.getResult());
    return { result, ...status(await submitted.getStatus()) };
}

/** Two transactions endorsed on the same state, then both submitted. */
async function conflict(command) {
    const endorsed = [];
    for (let time = 0; time < 2; time++) {
        endorsed.push(await contract(command).newProposal(command.function, options(command)).endorse());
    }
    const found = [];
    for (const transaction of endorsed) {
        found.push(status(await (await transaction.submit()).getStatus()));
    }
    return found;
}

/** Every step signed outside of the gateway connection, from bytes alone. */
async function offline(command) {
    const { gateway, sign } = sessions.get(command.as);
    const signed = async (item) => [item.getBytes(), await sign(item.getDigest())];
    const built = contract(command).newProposal(command.function, options(command));
    const proposal = gateway.newSignedProposal(...(await signed(built)));
    const evaluated = text(await proposal.evaluate());
    const transaction = gateway.newSignedTransaction(...(await signed(await proposal.endorse())));
    const commit = gateway.newSignedCommit(...(await signed(await transaction.submit())));
    return { evaluated, result: text(transaction.getResult()), ...status(await commit.getStatus()) };
}

async function offlineEvents(command) {
    const { gateway, sign } = sessions.get(command.as);
    const built = network(command).newChaincodeEventsRequest(command.chaincode, position(command));
    const request = gateway.newSignedChaincodeEventsRequest(built.getBytes(), await sign(built.getDigest()));
    return take(await request.getEvents(), command.count, chaincodeEvent);
}

const position = ({ start }) => (start === undefined ? {} : { startBlock: BigInt(start) });

function chaincodeEvent(event) {
    return {
        block: Number(event.blockNumber),
        transactionId: event.transactionId,
        chaincode: event.chaincodeName,
        name: event.eventName,
        payload: text(event.payload),
    };
}

async function take(stream, count, describe, each = async () => undefined) {
    const found = [];
    try {
        for await (const item of stream) {
            found.push(describe(item));
            await each(item);
            if (found.length === count) {
                break;
            }
        }
    } finally {
        stream.close();
    }
    return found;
}

async function events(command) {
    const from = { ...position(command) };
    let each;
    if (command.checkpoint) {
        from.checkpoint = await checkpointers.file(command.checkpoint);
        each = (event) => from.checkpoint.checkpointChaincodeEvent(event);
    }
    const stream = await network(command).getChaincodeEvents(command.chaincode, from);
    return take(stream, command.count, chaincodeEvent, each);
}

/** Open a live stream, submit, and see the events of what was submitted. */
async function liveEvents(command) {
    const stream = await network(command).getChaincodeEvents(command.chaincode);
    const found = take(stream, command.count, chaincodeEvent);
    for (let number = 0; number < command.count; number++) {
        await submit(command);
    }
    return found;
}

async function blocks(command) {
    const [method, number] = {
        full: ['getBlockEvents', (block) => Number(block.getHeader().getNumber())],
        filtered: ['getFilteredBlockEvents', (block) => Number(block.getNumber())],
        private: ['getBlockAndPrivateDataEvents', (item) => Number(item.getBlock().getHeader().getNumber())],
    }[command.form];
    const stream = await network(command)[method](position(command));
    return take(stream, command.count, (item) => ({ number: number(item), bytes64: base64(item.serializeBinary()) }));
}

/** A call that must end within a deadline. */
async function deadline(command) {
    const { client, sign, identity } = sessions.get(command.as);
    const limit = () => ({ deadline: Date.now() + command.milliseconds });
    const gateway = connect({ client, identity, signer: sign, evaluateOptions: limit, endorseOptions: limit });
    const limited = gateway.getNetwork(command.channel).getContract(command.chaincode, command.contract);
    return text(await limited[command.call](command.function, options(command)));
}

function close({ name }) {
    const { client, gateway } = sessions.get(name);
    gateway.close();
    client.close();
    return null;
}

const commands = {
    open, close, evaluate, submit, submitAsync, conflict, deadline, offline, offlineEvents, events, liveEvents, blocks,
};

function described(error) {
    const { name, message, code, details, transactionId } = error;
    return { name, message, code, details, transactionId, cause: error.cause && error.cause.details };
}

async function main() {
    for await (const line of readline.createInterface({ input: process.stdin })) {
        let answer;
        try {
            const command = JSON.parse(line);
            answer = { result: await commands[command.do](command) };
        } catch (error) {
            answer = { error: described(error) };
        }
        process.stdout.write(JSON.stringify(answer) + '\n');
    }
    process.exit(0);
}

main();
