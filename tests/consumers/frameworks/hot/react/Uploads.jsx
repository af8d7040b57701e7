import { useUpload } from 'directput/react';
import { use } from 'react';
import { endpoint } from './list.js';

export function Uploads({ until }) {
  const { items, add } = useUpload({ endpoint });
  if (until) use(until);
  return (
    <main id="own">
      <h1>before</h1>
      <input type="file" onChange={({ target }) => add(target.files)} />
      {items.map((item) => (
        <p key={item.id} data-state={item.state} data-sent={item.progress?.sentBytes ?? 0}>
          {item.result?.key}
        </p>
      ))}
    </main>
  );
}
