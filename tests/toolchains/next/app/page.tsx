'use client';

import { DirectPut, useUpload } from 'directput/react';
import { useEffect, useState } from 'react';

export default function Page() {
  // Server-side rendering has no URL of the page, so the endpoint starts as a path.
  const [endpoint, setEndpoint] = useState('/uploads');
  useEffect(() => {
    setEndpoint(new URLSearchParams(location.search).get('api') ?? '');
    document.body.dataset.state = 'ready';
  }, []);
  return <Uploads key={endpoint} endpoint={endpoint} />;
}

function Uploads({ endpoint }: { endpoint: string }) {
  const uploads = useUpload({ endpoint });
  const { uploader, items, add } = uploads;
  const [inWorker, setInWorker] = useState<boolean>();
  const [last] = items;
  const result = last?.result;
  useEffect(() => {
    if (result) uploads.uploader.runsInWorker().then(setInWorker);
  }, [result]);
  return (
    <main data-made={typeof uploader}>
      <input id="own" type="file" onChange={({ target }) => add(target.files ?? [])} />
      <output>
        {last?.error
          ? JSON.stringify({ code: last.error.code, message: last.error.message })
          : result && inWorker !== undefined
            ? JSON.stringify({ key: result.key, size: result.size, inWorker })
            : ''}
      </output>
      <DirectPut
        name="papers"
        endpoint={endpoint}
        options={{ warnBeforeLeaving: false }}
        multiple
        onStored={({ detail }) => console.info(detail.result.key)}
      />
    </main>
  );
}
