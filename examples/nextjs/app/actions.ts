'use server';

/** Handles the form on the server. Each value of `papers` is the key of a stored file in the bucket. */
export async function apply(_: string, form: FormData) {
  // Before you use a key, check that its object belongs to this user: see docs/notifications.md.
  return `Received from ${form.get('name')}: ${form.getAll('papers').join(', ')}`;
}
