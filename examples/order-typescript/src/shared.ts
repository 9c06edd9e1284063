/** What the workflows, the activities and their clients share: the messages and the names of the task queues. */

export const ORDER_TASK_QUEUE = 'order-processing';
export const REPORT_TASK_QUEUE = 'reports';

export const PAYMENT_DECLINED = 'PaymentDeclinedError';

export interface OrderInput {
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

export interface DatasetSummary {
  itemsTotal: number;
  /** The attempt that finished, and the item at which it went on. */
  attempt: number;
  resumedAtItem: number;
}
