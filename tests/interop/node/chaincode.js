// A contract for the official Node.js chaincode runtime: each function uses one part of the chaincode protocol.
'use strict';

const { Contract } = require('fabric-contract-api');
const { KeyEndorsementPolicy } = require('fabric-shim');

/** Everything that an iterator still holds. */
async function drain(iterator, describe) {
    const found = [];
    try {
        for (let step = await iterator.next(); ; step = await iterator.next()) {
            if (step.value && describe(step.value)) {
                found.push(describe(step.value));
            }
            if (step.done) {
                return found;
            }
        }
    } finally {
        await iterator.close();
    }
}

const text = (bytes) => Buffer.from(bytes).toString('utf8');
const entry = (row) => `${row.key}=${text(row.value)}`;

class Interop extends Contract {
    constructor() {
        super('interop');
    }

    async put(ctx, key, value) {
        await ctx.stub.putState(key, Buffer.from(value));
        ctx.stub.setEvent('put', Buffer.from(key));
        return value;
    }

    async putMany(ctx, prefix, count) {
        for (let number = 0; number < Number(count); number++) {
            const key = prefix + String(number).padStart(4, '0');
            await ctx.stub.putState(key, Buffer.from(String(number)));
        }
    }

    async get(ctx, key) {
        return text(await ctx.stub.getState(key));
    }

    async delete(ctx, key) {
        await ctx.stub.deleteState(key);
    }

    async putAndGet(ctx, key, value) {
        await ctx.stub.putState(key, Buffer.from(value));
        return text(await ctx.stub.getState(key));
    }

    async range(ctx, start, end) {
        return drain(await ctx.stub.getStateByRange(start, end), entry);
    }

    async firstOfRange(ctx, start, end) {
        const iterator = await ctx.stub.getStateByRange(start, end);
        const first = await iterator.next();
        await iterator.close();
        return entry(first.value);
    }

    async page(ctx, start, end, size, bookmark) {
        const { iterator, metadata } = await ctx.stub.getStateByRangeWithPagination(start, end, Number(size), bookmark);
        const rows = await drain(iterator, entry);
        return { rows, count: metadata.fetchedRecordsCount, bookmark: metadata.bookmark };
    }

    async writeAfterPage(ctx) {
        const { iterator } = await ctx.stub.getStateByRangeWithPagination('', '', 1, '');
        await iterator.close();
        await ctx.stub.putState('after-page', Buffer.from('x'));
    }

    async putComposite(ctx, type, joined) {
        const parts = joined.split('/');
        await ctx.stub.putState(ctx.stub.createCompositeKey(type, parts), Buffer.from(joined));
    }

    async partial(ctx, type, joined) {
        const parts = joined ? joined.split('/') : [];
        const split = (row) => ctx.stub.splitCompositeKey(row.key).attributes.join('/');
        return drain(await ctx.stub.getStateByPartialCompositeKey(type, parts), split);
    }

    async history(ctx, key) {
        const change = (row) => ({
            transaction: row.txId,
            value: text(row.value),
            isDelete: row.isDelete,
            seconds: Number(row.timestamp.seconds),
        });
        return drain(await ctx.stub.getHistoryForKey(key), change);
    }

    async putPrivate(ctx, collection, key) {
        await ctx.stub.putPrivateData(collection, key, ctx.stub.getTransient().get('value'));
    }

    async getPrivate(ctx, collection, key) {
        return text(await ctx.stub.getPrivateData(collection, key));
    }

    async privateHash(ctx, collection, key) {
        return Buffer.from(await ctx.stub.getPrivateDataHash(collection, key)).toString('hex');
    }

    async privateRange(ctx, collection, start, end) {
        const answer = await ctx.stub.getPrivateDataByRange(collection, start, end);
        return drain(answer.iterator || answer, entry);
    }

    async deletePrivate(ctx, collection, key) {
        await ctx.stub.deletePrivateData(collection, key);
    }

    async purgePrivate(ctx, collection, key) {
        await ctx.stub.purgePrivateData(collection, key);
    }

    async protect(ctx, key, mspId) {
        const policy = new KeyEndorsementPolicy();
        policy.addOrgs('PEER', mspId);
        await ctx.stub.setStateValidationParameter(key, policy.getPolicy());
    }

    async guards(ctx, key) {
        const policy = await ctx.stub.getStateValidationParameter(key);
        return policy && policy.length ? new KeyEndorsementPolicy(policy).listOrgs() : [];
    }

    async describe(ctx) {
        return {
            channel: ctx.stub.getChannelID(),
            transaction: ctx.stub.getTxID(),
            seconds: Number(ctx.stub.getTxTimestamp().seconds),
            mspId: ctx.clientIdentity.getMSPID(),
            id: ctx.clientIdentity.getID(),
            role: ctx.clientIdentity.getAttributeValue('role'),
            function: ctx.stub.getFunctionAndParameters().fcn,
            creator: ctx.stub.getCreator().mspid,
            binding: ctx.stub.getBinding(),
        };
    }

    async call(ctx, chaincode, channel, args) {
        const response = await ctx.stub.invokeChaincode(chaincode, JSON.parse(args), channel);
        return { status: response.status, message: response.message, payload: text(response.payload) };
    }

    async query(ctx, selector) {
        return drain(await ctx.stub.getQueryResult(selector), entry);
    }

    /** Any function of the stub; an argument {"bytes": text} is given as bytes. */
    async stub(ctx, method, values) {
        const given = JSON.parse(values).map((value) => (value.bytes === undefined ? value : Buffer.from(value.bytes)));
        const answer = await ctx.stub[method](...given);
        return answer === undefined ? '' : text(answer);
    }

    async fail(ctx, message) {
        await ctx.stub.putState('never', Buffer.from('x'));
        throw new Error(message);
    }
}

module.exports.contracts = [Interop];
