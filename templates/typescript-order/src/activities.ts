/**
 * Activities: everything that touches the outside world.
 *
 * They may fail, and are tried again as the workflow's retry policy says. An attempt can get lost after its work is
 * done, so the same work may come twice: the payment gateway is given a key by which it knows a charge that it has
 * already made.
 */

import { activityInfo, heartbeat, log, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { PAYMENT_DECLINED, type Order } from './shared';

const LATENCY = '300 milliseconds';

/** Charge the card and return the payment's id. */
export async function chargePayment(userId: string, amount: number, card: Order['card']): Promise<string> {
  const { activityId, attempt, workflowExecution } = activityInfo();
  if (card === 'flaky' && attempt === 1) {
    throw ApplicationFailure.create({ message: 'the payment gateway did not answer' });
  }
  if (card === 'declined') {
    // Nothing gets better by trying again: this failure ends the activity at once.
    throw ApplicationFailure.create({ type: PAYMENT_DECLINED, message: 'the card was declined', nonRetryable: true });
  }
  log.info('charging', { userId, amount });
  // A heartbeat tells the server that this worker is alive, and learns about a cancel.
  heartbeat('charging');
  await sleep(LATENCY);
  const idempotencyKey = `${workflowExecution?.workflowId}-${activityId}`; // the same at each attempt
  return `payment-${idempotencyKey}`;
}

/** Give the money of a payment back. */
export async function refundPayment(paymentId: string): Promise<void> {
  log.info('refunding', { paymentId });
  await sleep(LATENCY);
}

/** Tell the customer that the order is paid. */
export async function sendConfirmationEmail(email: string, orderId: string, paymentId: string): Promise<void> {
  log.info('confirming', { email, orderId, paymentId });
  await sleep(LATENCY);
}

/** Write the order's status to the shop's database. */
export async function updateOrderStatus(orderId: string, status: string): Promise<void> {
  log.info('the order has a new status', { orderId, status });
}

/** Write the report of a day. */
export async function writeDailyReport(number: number): Promise<void> {
  log.info('writing the report', { number });
  await sleep(LATENCY);
}
