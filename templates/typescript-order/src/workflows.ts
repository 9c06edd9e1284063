/**
 * Workflows: what happens in which order.
 *
 * A workflow can be replayed from its history after any crash, and goes on where it was. So it must do the same again:
 * no I/O here, which belongs in activities. `Date.now()`, `Math.random()` and `setTimeout()` are safe: the SDK replaces
 * them in workflows.
 */

import {
  ActivityFailure,
  condition,
  defineQuery,
  defineSignal,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
// Types only: the code of activities must not get into the bundle of the workflows.
import type * as activities from './activities';
import { PAYMENT_DECLINED, type CancelRequest, type Order } from './shared';

// A payment is given up soon: somebody waits for the answer. Without the heartbeat, the server would only notice after
// 30 seconds that the worker is gone.
const { chargePayment, refundPayment } = proxyActivities<typeof activities>({
  startToCloseTimeout: '30 seconds',
  heartbeatTimeout: '5 seconds',
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

// The shop's own database: tried again and again, as long as it takes (the default).
const { updateOrderStatus, writeDailyReport } = proxyActivities<typeof activities>({
  startToCloseTimeout: '30 seconds',
});

/** Ask for the cancellation; what was paid is paid back. */
export const cancelSignal = defineSignal<[CancelRequest]>('cancel');
/** Say where the order is. A query must not change anything. */
export const statusQuery = defineQuery<string>('getStatus');

/** Charge, confirm, complete; refund when the customer cancels in time. Returns the payment's id, or `cancelled: …`. */
export async function orderWorkflow(order: Order): Promise<string> {
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

  await sendConfirmationEmail(order.email, order.orderId, paymentId);
  // The signal, or the timer: the server keeps it, days are fine.
  if (await condition(() => cancelRequest !== undefined, (order.cancelWindowSeconds ?? 0) * 1000)) {
    return await refund(paymentId);
  }
  await setStatus('completed');
  return paymentId;
}

/** Write one report and return its number. Started with a cron schedule, it runs again and again. */
export async function dailyReportWorkflow(): Promise<number> {
  const number = ((workflowInfo().lastResult as number | undefined) ?? 0) + 1;
  await writeDailyReport(number);
  return number;
}
