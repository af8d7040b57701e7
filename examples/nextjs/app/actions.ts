'use server';

/** Takes the form on the server: each stored file is a key in the bucket. */
export async function apply(_: string, form: FormData) {
  // Before you use a key, check that its object is this user's: docs/notifications.md.
  return `Received from ${form.get('name')}: ${form.getAll('papers').join(', ')}`;
}
