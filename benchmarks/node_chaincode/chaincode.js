// The same functions as benchmarks/runtime_chaincode.py, as an author of the official Node.js runtime writes them.
'use strict';

const { Contract } = require('fabric-contract-api');

const keyOf = (prefix, number) => prefix + String(number).padStart(4, '0');

class Bench extends Contract {
    constructor() {
        super('bench');
    }

    async put(ctx, key, value) {
        await ctx.stub.putState(key, Buffer.from(value));
    }

    async get(ctx, key) {
        return Buffer.from(await ctx.stub.getState(key)).toString('utf8');
    }

    async domain(ctx, key, value) {
        const keys = [1, 2, 3, 4].map((number) => keyOf(key, number));
        const read = await Promise.all(keys.map((name) => ctx.stub.getState(name)));
        const written = Buffer.from(value + read.length);
        await Promise.all(keys.slice(1).map((name) => ctx.stub.putState(name, written)));
        ctx.stub.setEvent('Done', Buffer.from(key));
    }

    async write_many(ctx, prefix, value) {
        const writes = [];
        for (let number = 0; number < 1000; number++) {
            writes.push(ctx.stub.putState(keyOf(prefix, number), Buffer.from(value)));
        }
        await Promise.all(writes);
    }

    async read_many(ctx, prefix) {
        const reads = [];
        for (let number = 0; number < 1000; number++) {
            reads.push(ctx.stub.getState(keyOf(prefix, number)));
        }
        return (await Promise.all(reads)).length;
    }
}

module.exports.contracts = [Bench];
