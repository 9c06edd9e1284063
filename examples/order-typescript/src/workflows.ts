/** Workflows: what happens in which order. They are deterministic, and so can be replayed after any crash. */

import {
  ActivityFailure,
  condition,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type * as activities from './activities';
import {
  PAYMENT_DECLINED,
  REPORT_TASK_QUEUE,
  type CancelRequest,
  type DatasetSummary,
  type OrderInput,
} from './shared';

// A payment is tried three times, and quickly given up: somebody waits for the answer.
const { chargePayment, refundPayment } = proxyActivities<typeof activities>({
  startToCloseTimeout: '30 seconds',
  retry: {
    maximumAttempts: 3,
    initialInterval: '2 seconds',
    backoffCoefficient: 2,
    maximumInterval: '30 seconds',
    nonRetryableErrorTypes: [PAYMENT_DECLINED],
  },
});

// An e-mail may be late: ten attempts, minutes apart, but not after ten minutes.
const { sendConfirmationEmail } = proxyActivities<typeof activities>({
  startToCloseTimeout: '60 seconds',
  scheduleToCloseTimeout: '10 minutes',
  retry: { maximumAttempts: 10, initialInterval: '5 seconds', backoffCoefficient: 1.5, maximumInterval: '5 minutes' },
});

// The shop's own database: the server's default retry policy, as long as it takes.
const { updateOrderStatus, writeDailyReport } = proxyActivities<typeof activities>({
  startToCloseTimeout: '30 seconds',
});

// A long job has a task queue of its own, so that its load and its crashes stay there. The heartbeat tells the server
// within a second that the worker is gone, where startToClose alone would take hours.
const { processLargeDataset } = proxyActivities<typeof activities>({
  taskQueue: REPORT_TASK_QUEUE,
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '1 second',
});

/** Ask for the cancellation; what was paid is paid back. */
export const cancelSignal = defineSignal<[CancelRequest]>('cancel');
/** Say where the order is. */
export const statusQuery = defineQuery<string>('getStatus');

/** Charge, confirm, complete; refund when the customer cancels in time. Returns the payment's id, or `cancelled: …`. */
export async function orderWorkflow(order: OrderInput): Promise<string> {
  let status = 'started';
  let cancelRequest: CancelRequest | undefined;
  setHandler(statusQuery, () => status);
  setHandler(cancelSignal, (request) => {
    cancelRequest = request;
  });

  async function setStatus(newStatus: string): Promise<void> {
    status = newStatus;
    await updateOrderStatus(order.orderId, newStatus);
  }

  async function refund(paymentId: string): Promise<string> {
    status = 'refunding';
    await refundPayment(paymentId);
    await setStatus('cancelled');
    return `cancelled: ${cancelRequest?.reason}`;
  }

  await setStatus('processing');

  status = 'charging';
  let paymentId: string;
  try {
    paymentId = await chargePayment(order.userId, order.amount, order.card);
  } catch (error) {
    if (error instanceof ActivityFailure) await setStatus('payment failed');
    throw error;
  }
  if (cancelRequest) return await refund(paymentId);
  await setStatus('paid');

  status = 'confirming';
  await sendConfirmationEmail(order.email, order.orderId, paymentId);
  status = 'confirmed';
  // The timer that ends the wait is kept by the server: days are fine.
  if (await condition(() => cancelRequest !== undefined, (order.cancelWindowSeconds ?? 0) * 1000)) {
    return await refund(paymentId);
  }
  await setStatus('completed');
  return paymentId;
}

/** Write one report and return its number. Started with a cron schedule, the server runs it again and again. */
export async function dailyReportWorkflow(): Promise<number> {
  const lastNumber = (workflowInfo().lastResult as number | undefined) ?? 0;
  const number = lastNumber + 1;
  await writeDailyReport(number);
  return number;
}

/** Process a large dataset in one long activity. */
export async function datasetWorkflow(datasetId: string): Promise<DatasetSummary> {
  return await processLargeDataset(datasetId);
}
