/**
 * The messages of the workflows and their activities.
 *
 * One interface for each message: a field that is added later is optional, and the workflows that are already running
 * can still read what was sent to them.
 */

export const PAYMENT_DECLINED = 'PaymentDeclinedError';

export interface Order {
  orderId: string;
  userId: string;
  /** In the smallest unit of the currency. */
  amount: number;
  email: string;
  /** One of the pretend gateway's test cards. */
  card?: 'valid' | 'flaky' | 'declined';
  /** How long the order can still be cancelled after its confirmation. */
  cancelWindowSeconds?: number;
}

export interface CancelRequest {
  reason: string;
}
