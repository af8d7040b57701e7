import { useUpload } from 'directput/react';
import { useState } from 'react';
import { shared } from './list.js';

export function Shared() {
  const { items, add } = useUpload(shared);
  const [words] = useState('before');
  return (
    <main id="shared">
      <h1>{words}</h1>
      <input type="file" onChange={({ target }) => add(target.files)} />
      {items.map((item) => (
        <p key={item.id} data-state={item.state} data-sent={item.progress?.sentBytes ?? 0}>
          {item.result?.key}
        </p>
      ))}
    </main>
  );
}
