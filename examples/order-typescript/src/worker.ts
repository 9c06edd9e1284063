/** Run a worker: `npm run worker` serves both task queues, `node lib/worker.js QUEUE…` only the named ones. */

import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import * as activities from './activities';
import { ORDER_TASK_QUEUE, REPORT_TASK_QUEUE } from './shared';

async function main(): Promise<void> {
  // Only warnings, one line each: here failures are part of the lesson.
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ message, meta }) => {
      console.log(`[worker ${process.pid}] ${message}${meta?.error ? `: ${meta.error}` : ''}`);
    }),
  });
  const address = process.env.TEMPORAL_ADDRESS ?? 'localhost:7233';
  const taskQueues = process.argv.length > 2 ? process.argv.slice(2) : [ORDER_TASK_QUEUE, REPORT_TASK_QUEUE];
  const connection = await NativeConnection.connect({ address });
  try {
    const workers = await Promise.all(
      taskQueues.map((taskQueue) =>
        Worker.create({
          connection,
          taskQueue,
          workflowsPath: require.resolve('./workflows'),
          activities,
          maxConcurrentActivityTaskExecutions: 10,
          maxConcurrentWorkflowTaskExecutions: 20,
        }),
      ),
    );
    console.log(`[worker ${process.pid}] polling ${taskQueues.join(' and ')} on ${address}`);
    await Promise.all(workers.map((worker) => worker.run())); // until SIGINT or SIGTERM
  } finally {
    await connection.close();
  }
}

main().catch((error: Error) => {
  console.error(`${error.message}\n\nhint: is the server there? Start one with \`dx server start-dev\``);
  process.exit(1);
});
