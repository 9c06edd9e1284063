/** A day in a moment: `dx-test-server` skips time whenever a test only waits. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import * as activities from '../activities';
import { orderWorkflow, statusQuery } from '../workflows';
import { findExecutable } from './executable';

test('an order that nobody cancels in a day is completed', async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: { type: 'existing-path', path: findExecutable('dx-test-server') } },
  });
  try {
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: 'test',
      workflowsPath: require.resolve('../workflows'),
      activities,
    });
    const order = { orderId: '1', userId: 'user-123', amount: 100, email: 'user@example.com' };
    const result = await worker.runUntil(async () => {
      const handle = await environment.client.workflow.start(orderWorkflow, {
        taskQueue: 'test',
        workflowId: 'order-1',
        args: [{ ...order, cancelWindowSeconds: 24 * 60 * 60 }],
      });
      assert.equal(await handle.result(), 'payment-order-1-2');
      return await handle.query(statusQuery);
    });
    assert.equal(result, 'completed');
  } finally {
    await environment.teardown();
  }
});
