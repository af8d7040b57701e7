// Calls between the page and its worker: each side calls methods of the other, and errors arrive as they were.
import { type PlainError, plainError, toUploadError, UploadError } from './errors.js';

/** A call if it has a method, otherwise the answer to the call of this number. A call with the number 0 has no answer. */
type Message = [call: number, method: string | undefined, value: unknown, error?: PlainError];

/** What both ends of a worker have. */
interface Port {
  postMessage(message: Message): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Message>) => void): void;
}

export interface Channel {
  /** Calls a method of the other side. */
  call(method: string, args?: unknown[]): Promise<unknown>;
  /** Calls a method whose answer is of no interest. */
  tell(method: string, args: unknown[]): void;
  /** Whether the other side owes an answer. */
  isOwed(): boolean;
  /** Rejects what waits for an answer, and all later calls. */
  end(error: UploadError): void;
}

/** Connects one side, whose methods `run` calls. */
export function connect(port: Port, run: (method: string, args: never[]) => unknown): Channel {
  const waiting = new Map<number, [(value: unknown) => void, (error: UploadError) => void]>();
  let calls = 0;
  let ended: UploadError | undefined;
  port.addEventListener('message', async ({ data: [call, method, value, error] }) => {
    if (method === undefined) {
      const [resolve, reject] = waiting.get(call) ?? [];
      waiting.delete(call);
      if (error) reject?.(new UploadError(error));
      else resolve?.(value);
      return;
    }
    try {
      const answer = await run(method, value as never[]);
      if (call) port.postMessage([call, undefined, answer]);
    } catch (thrown) {
      if (call) port.postMessage([call, undefined, undefined, plainError(toUploadError(thrown))]);
    }
  });
  return {
    call: (method, args = []) =>
      new Promise((resolve, reject) => {
        if (ended) throw ended;
        // What can't be sent throws, and nobody answers it.
        port.postMessage([++calls, method, args]);
        waiting.set(calls, [resolve, reject]);
      }),
    tell: (method, args) => port.postMessage([0, method, args]),
    isOwed: () => waiting.size > 0,
    end(error) {
      ended = error;
      for (const [, reject] of waiting.values()) reject(error);
      waiting.clear();
    },
  };
}
