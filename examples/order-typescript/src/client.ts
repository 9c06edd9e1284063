/**
 * Walk through every scenario of the order example: `npm start`.
 *
 * It needs a server (`dx server start-dev`) at TEMPORAL_ADDRESS, default localhost:7233. Its workers are processes of
 * their own, as they would be anywhere: one for each task queue, and one of them does not live long.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection, WorkflowFailedError, type WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { ActivityFailure, ApplicationFailure, defaultPayloadConverter } from '@temporalio/common';
import { ORDER_TASK_QUEUE, REPORT_TASK_QUEUE, type OrderInput } from './shared';
import { cancelSignal, dailyReportWorkflow, datasetWorkflow, orderWorkflow, statusQuery } from './workflows';

const ADDRESS = process.env.TEMPORAL_ADDRESS ?? 'localhost:7233';
/** Makes the workflow ids of one walk its own, so that the example can run again on the same server. */
const RUN_SUFFIX = randomUUID().slice(0, 6);

async function startOrder(
  client: Client,
  name: string,
  details: Partial<OrderInput> = {},
): Promise<WorkflowHandleWithFirstExecutionRunId<typeof orderWorkflow>> {
  const orderId = `${name}-${RUN_SUFFIX}`;
  const handle = await client.workflow.start(orderWorkflow, {
    taskQueue: ORDER_TASK_QUEUE,
    workflowId: `order-${orderId}`,
    args: [{ orderId, userId: 'user-123', amount: 99000, email: 'user@example.com', ...details }],
  });
  console.log(`  started ${handle.workflowId}`);
  return handle;
}

async function completedOrder(client: Client): Promise<void> {
  const handle = await startOrder(client, 'completed');
  console.log(`  status now: ${await handle.query(statusQuery)}`);
  console.log(`  result: ${await handle.result()}`);
  console.log(`  status at the end: ${await handle.query(statusQuery)}`);
}

async function retriedPayment(client: Client): Promise<void> {
  const handle = await startOrder(client, 'retried', { card: 'flaky' });
  console.log(`  result: ${await handle.result()}`);
}

async function declinedPayment(client: Client): Promise<void> {
  const handle = await startOrder(client, 'declined', { card: 'declined' });
  try {
    await handle.result();
  } catch (error) {
    // The workflow failed because its activity failed because of this.
    const activityFailure = error instanceof WorkflowFailedError ? error.cause : undefined;
    const declined = activityFailure instanceof ActivityFailure ? activityFailure.cause : undefined;
    if (!(declined instanceof ApplicationFailure)) throw error;
    console.log(`  failed: ${declined.type}: ${declined.message}`);
  }
}

async function cancelledOrder(client: Client): Promise<void> {
  const handle = await startOrder(client, 'cancelled', { cancelWindowSeconds: 3600 });
  const status = await poll(() => handle.query(statusQuery), (answer) => answer === 'charging');
  console.log(`  status now: ${status}; sending the cancel signal`);
  await handle.signal(cancelSignal, { reason: 'ordered twice' });
  console.log(`  result: ${await handle.result()}`);
}

async function dailyReport(client: Client): Promise<void> {
  const workflowId = `daily-report-${RUN_SUFFIX}`;
  const handle = await client.workflow.start(dailyReportWorkflow, {
    taskQueue: REPORT_TASK_QUEUE,
    workflowId,
    cronSchedule: '@every 1s',
  });
  console.log(`  started ${workflowId}, a new run every second`);
  const runIds = [handle.firstExecutionRunId];
  for (let run = 0; run < 2; run++) {
    // The next run is there as soon as this one is closed, and waits for its time.
    const { runId: nextRunId } = await poll(
      () => client.workflow.getHandle(workflowId).describe(),
      (description) => !runIds.includes(description.runId),
    );
    console.log(`  run ${runIds.at(-1)} wrote report ${await resultOfRun(client, workflowId, runIds.at(-1)!)}`);
    runIds.push(nextRunId);
  }
  await client.workflow.getHandle(workflowId).terminate('two reports are enough for an example');
  console.log('  terminated, or it would run forever');
}

async function datasetSurvivesCrash(client: Client, killWorker: () => Promise<void>): Promise<void> {
  const workflowId = `dataset-${RUN_SUFFIX}`;
  const handle = await client.workflow.start(datasetWorkflow, {
    taskQueue: ORDER_TASK_QUEUE,
    workflowId,
    args: ['clicks-2026'],
  });
  console.log(`  started ${workflowId}`);
  const items = await poll(() => itemsDone(client, workflowId), (answer) => answer >= 10);
  console.log(`  last heartbeat: ${items} items are done`);
  await killWorker();
  const summary = await handle.result();
  console.log(`  result: ${summary.itemsTotal} items; attempt ${summary.attempt} resumed at item ${summary.resumedAtItem}`);
}

/** What the last heartbeat said: the server keeps its details for the next attempt. */
async function itemsDone(client: Client, workflowId: string): Promise<number> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  const [details] = raw.pendingActivities?.[0]?.heartbeatDetails?.payloads ?? [];
  return details ? defaultPayloadConverter.fromPayload<number>(details) : 0;
}

/** One run's result: `handle.result()` would follow a cron schedule from run to run and never return. */
async function resultOfRun(client: Client, workflowId: string, runId: string): Promise<number> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const [result] = events?.at(-1)?.workflowExecutionCompletedEventAttributes?.result?.payloads ?? [];
  if (!result) throw new Error(`run ${runId} of ${workflowId} has no result`);
  return defaultPayloadConverter.fromPayload<number>(result);
}

/** Ask until the answer is the wanted one, and return it. */
async function poll<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    await delay(50);
  }
}

function startWorker(taskQueue: string): ChildProcess {
  return spawn(process.execPath, [require.resolve('./worker'), taskQueue], { stdio: ['ignore', 'inherit', 'inherit'] });
}

async function endWorker(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  worker.kill(signal);
  await once(worker, 'exit');
}

async function runScenarios(client: Client): Promise<void> {
  const orderWorker = startWorker(ORDER_TASK_QUEUE);
  let reportWorker = startWorker(REPORT_TASK_QUEUE);

  async function killReportWorker(): Promise<void> {
    await endWorker(reportWorker, 'SIGKILL');
    console.log(`  killed worker ${reportWorker.pid} with SIGKILL, starting another`);
    reportWorker = startWorker(REPORT_TASK_QUEUE);
  }

  const scenarios: [string, () => Promise<void>][] = [
    ['An order goes through; a query reads its status meanwhile.', () => completedOrder(client)],
    ['The payment gateway fails once; the server tries again two seconds later.', () => retriedPayment(client)],
    ['A declined card is not retried; the order fails.', () => declinedPayment(client)],
    ['A cancel signal arrives while the card is being charged; the money goes back.', () => cancelledOrder(client)],
    ['A cron schedule: in a shop `0 9 * * *`, every day at nine; here every second.', () => dailyReport(client)],
    [
      'A long activity loses its worker in the middle, and goes on where its last heartbeat was.',
      () => datasetSurvivesCrash(client, killReportWorker),
    ],
  ];
  try {
    for (const [index, [title, run]] of scenarios.entries()) {
      console.log(`\n${index + 1}. ${title}`);
      await run();
    }
    console.log('\nAll scenarios are done.');
  } finally {
    await Promise.all([endWorker(orderWorker, 'SIGTERM'), endWorker(reportWorker, 'SIGTERM')]);
  }
}

async function main(): Promise<void> {
  let connection: Connection;
  try {
    connection = await Connection.connect({ address: ADDRESS });
  } catch (error) {
    console.error(`no server at ${ADDRESS}: ${error}\n\nhint: start one with \`dx server start-dev\``);
    process.exitCode = 1;
    return;
  }
  try {
    await runScenarios(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
