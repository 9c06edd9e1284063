/** `npm test`: orders on a server of their own, which is `dx` itself and keeps everything in memory. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import * as activities from '../activities';
import type { Order } from '../shared';
import { cancelSignal, orderWorkflow, statusQuery } from '../workflows';
import { findExecutable } from './executable';

const ORDER: Order = { orderId: '1', userId: 'user-123', amount: 100, email: 'user@example.com' };

let environment: TestWorkflowEnvironment;
let worker: Worker;
let running: Promise<void>;

before(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'existing-path', path: findExecutable('dx') } },
  });
  worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue: 'test',
    workflowsPath: require.resolve('../workflows'),
    activities,
  });
  running = worker.run();
});

after(async () => {
  worker?.shutdown();
  await running;
  await environment?.teardown();
});

test('an order is charged and completed', async () => {
  const handle = await start('completed');
  assert.equal(await handle.result(), 'payment-completed-2');
  assert.equal(await handle.query(statusQuery), 'completed');
});

test('a payment that fails once is tried again', async () => {
  const handle = await start('retried', { card: 'flaky' });
  assert.equal(await handle.result(), 'payment-retried-2');
});

test('a declined card fails the order, without another attempt', async () => {
  const handle = await start('declined', { card: 'declined' });
  await assert.rejects(handle.result(), (error) => {
    // The workflow failed because its activity failed because of this.
    assert(error instanceof WorkflowFailedError && error.cause instanceof ActivityFailure);
    assert(error.cause.cause instanceof ApplicationFailure);
    assert.equal(error.cause.cause.message, 'the card was declined');
    return true;
  });
  assert.equal(await handle.query(statusQuery), 'payment failed');
});

test('a cancelled order is paid back', async () => {
  const handle = await start('cancelled', { cancelWindowSeconds: 3600 });
  await handle.signal(cancelSignal, { reason: 'ordered twice' });
  assert.equal(await handle.result(), 'cancelled: ordered twice');
});

test('what has run replays with the code as it is', async () => {
  const handle = await start('replayed');
  await handle.result();
  await Worker.runReplayHistory({ workflowsPath: require.resolve('../workflows') }, await handle.fetchHistory());
});

async function start(name: string, details: Partial<Order> = {}): Promise<WorkflowHandle<typeof orderWorkflow>> {
  return await environment.client.workflow.start(orderWorkflow, {
    taskQueue: 'test',
    workflowId: name,
    args: [{ ...ORDER, orderId: name, ...details }],
  });
}
