'use client';

import { DirectPut } from 'directput/react';
import { useActionState } from 'react';
import { apply } from './actions';

export default function Page() {
  const [answer, formAction, isPending] = useActionState(apply, '');
  return (
    <main>
      <h1>Application</h1>
      <form action={formAction}>
        <p>
          <label>
            Your name <input name="name" autoComplete="name" required />
          </label>
        </p>
        <DirectPut name="papers" endpoint="/uploads" accept=".pdf" multiple required />
        <p>
          <button type="submit" disabled={isPending}>
            Send
          </button>
        </p>
      </form>
      <output>{answer}</output>
    </main>
  );
}
