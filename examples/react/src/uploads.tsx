import { type UploadItem, useUpload } from 'directput/react';

export function Uploads() {
  const { items, add } = useUpload({ endpoint: import.meta.env.VITE_ENDPOINT });
  return (
    <main>
      <h1>Uploads</h1>
      <label>
        Files <input type="file" multiple onChange={({ target }) => add(target.files ?? [])} />
      </label>
      <ul>
        {items.map((item) => (
          <Row key={item.id} item={item} />
        ))}
      </ul>
    </main>
  );
}

function Row({ item }: { item: UploadItem }) {
  const { name, size, state, progress, result, error } = item;
  const isOpen = state === 'running' || state === 'paused';
  return (
    <li>
      {name}{' '}
      {isOpen && <progress aria-label={`Progress of ${name}`} value={progress?.sentBytes ?? 0} max={size || 1} />}
      {state === 'running' && <Button label="Pause" onClick={item.pause} />}
      {state === 'paused' && <Button label="Resume" onClick={item.resume} />}
      {isOpen && <Button label="Cancel" onClick={item.cancel} />}
      {error?.retryable && <Button label="Retry" onClick={item.retry} />}
      <output>{result ? `Stored as ${result.key}` : error?.message}</output>
    </li>
  );
}

function Button({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button type="button" onClick={onClick}>
      {label}
    </button>
  );
}
