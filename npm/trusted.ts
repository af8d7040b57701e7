// Where the worker's script is, as a page takes it that enforces Trusted Types.

/** What is used here of the browser's Trusted Types (W3C, "Trusted Types"); TypeScript does not know them yet. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(): string }): { createScriptURL(input: string): string };
}

/** The policy's name, which such a page has to allow: `trusted-types directput`. */
const POLICY = 'directput';

/** The policy makes one address and no other, whatever it is given. A page may allow each name once. */
let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** The address of the worker's script. */
export function workerUrl(): string {
  const { href } = new URL('./worker.js', import.meta.url);
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy(POLICY, { createScriptURL: () => href });
  return policy?.createScriptURL('') ?? href;
}
