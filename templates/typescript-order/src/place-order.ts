/** A client: place an order, look at it, wait for its end. `npm run order` */

import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { TASK_QUEUE } from './task-queue';
import { orderWorkflow, statusQuery } from './workflows';

async function main(): Promise<void> {
  const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? 'localhost:7233' });
  const client = new Client({ connection, namespace: process.env.TEMPORAL_NAMESPACE ?? 'default' });

  // The id says what it is about. Only one workflow with an id can run at a time.
  const orderId = randomUUID().slice(0, 6);
  const handle = await client.workflow.start(orderWorkflow, {
    taskQueue: TASK_QUEUE,
    workflowId: `order-${orderId}`,
    args: [{ orderId, userId: 'user-123', amount: 99000, email: 'user@example.com' }],
  });
  console.log(`started ${handle.workflowId}`);
  console.log(`status: ${await handle.query(statusQuery)}`);
  console.log(`result: ${await handle.result()}`);
  await connection.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
