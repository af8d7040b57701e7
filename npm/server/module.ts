// What the Wasm module has. `tools/package-server.sh` builds it, and `wasm-bindgen` writes `glue.js`.

/** A request that is being answered. */
export interface Exchange {
  /** Request to send to S3, as JSON without the body, or undefined if the answer is ready. */
  readonly call: string | undefined;
  /** Body of the request to S3, or of the answer. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** HTTP status of the answer. */
  readonly status: number;
  /** Headers of the answer: a JSON list of pairs. */
  readonly headers: string;
  /** Code of the error, or undefined. */
  readonly code: string | undefined;
  /** Continues with S3's answer. `status` is 0 if S3 did not answer. `now` is in milliseconds since 1970. */
  answered(status: number, requestId: string | undefined, body: Uint8Array, now: number): void;
  free(): void;
}

/** The signing API of one bucket. */
export interface UploadServer {
  /** Begins to answer a request. `body` is undefined if it is too long. `now` is in milliseconds since 1970. */
  begin(head: string, body: Uint8Array | undefined, now: number): Exchange;
  free(): void;
}

/** The module's classes. */
export interface ServerModule {
  UploadServer: {
    /** Throws a text: JSON about the setting that is wrong. `random` fills an array with random bytes. */
    new (settings: string, random: (bytes: Uint8Array<ArrayBuffer>) => void): UploadServer;
    maxBodyBytes(method: string, path: string): number;
    /** Refuses a request by a code, without reading it. */
    refuse(id: string, code: string): Exchange;
  };
}
