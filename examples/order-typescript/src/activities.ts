/** Activities: everything that touches the outside world. They may fail and be retried; workflows never see that. */

import { createHash } from 'node:crypto';
import { activityInfo, heartbeat, sleep } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { PAYMENT_DECLINED, type DatasetSummary, type OrderInput } from './shared';

const ITEMS_PER_DATASET = 40;
const OUTSIDE_WORLD_LATENCY = '300 milliseconds';

/** Charge the card and return the payment's id. */
export async function chargePayment(userId: string, amount: number, card: OrderInput['card']): Promise<string> {
  const { attempt } = activityInfo();
  if (card === 'flaky' && attempt === 1) {
    throw ApplicationFailure.create({ type: 'PaymentGatewayError', message: 'the payment gateway did not answer' });
  }
  if (card === 'declined') {
    // Nothing gets better by trying again, so this failure ends the activity at its first attempt.
    throw ApplicationFailure.create({ type: PAYMENT_DECLINED, message: 'the card was declined', nonRetryable: true });
  }
  say(`charging ${userId}: ${amount}, attempt ${attempt}`);
  heartbeat('charging...');
  await sleep(OUTSIDE_WORLD_LATENCY);
  return `payment-${idempotencyKey()}`;
}

/** Give the money of a payment back. */
export async function refundPayment(paymentId: string): Promise<void> {
  say(`refunding ${paymentId}`);
  await sleep(OUTSIDE_WORLD_LATENCY);
}

/** Tell the customer that the order is paid. */
export async function sendConfirmationEmail(email: string, orderId: string, paymentId: string): Promise<void> {
  say(`sending the confirmation of ${orderId} (${paymentId}) to ${email}`);
  await sleep(OUTSIDE_WORLD_LATENCY);
}

/** Write the order's status to the shop's database. */
export async function updateOrderStatus(orderId: string, status: string): Promise<void> {
  say(`order ${orderId} -> ${status}`);
  await sleep(OUTSIDE_WORLD_LATENCY);
}

/** Write a report and return its name. */
export async function writeDailyReport(number: number): Promise<string> {
  say(`writing daily-report-${number}`);
  await sleep(OUTSIDE_WORLD_LATENCY);
  return `daily-report-${number}`;
}

/** Process a dataset item by item; after a crash the next attempt goes on where the last heartbeat was. */
export async function processLargeDataset(datasetId: string): Promise<DatasetSummary> {
  const { attempt, heartbeatDetails } = activityInfo();
  const resumedAtItem: number = heartbeatDetails ?? 0;
  say(`processing ${datasetId} from item ${resumedAtItem}`);
  for (let item = resumedAtItem; item < ITEMS_PER_DATASET; item++) {
    await sleep('100 milliseconds');
    heartbeat(item + 1);
  }
  return { itemsTotal: ITEMS_PER_DATASET, attempt, resumedAtItem };
}

/**
 * A key that every attempt of the running activity shares, and no other activity has.
 *
 * A real gateway takes such a key with a charge: seeing it again, it answers with the first charge's result. That
 * closes the last gap, a worker that dies after the gateway's answer and before it could report it.
 */
function idempotencyKey(): string {
  const { workflowExecution, activityId } = activityInfo();
  return createHash('sha256').update(`${workflowExecution?.runId}/${activityId}`).digest('hex').slice(0, 10);
}

function say(message: string): void {
  console.log(`[worker ${process.pid}] ${message}`);
}
