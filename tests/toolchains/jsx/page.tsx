import { DirectPut, type DirectPutElement, useUpload } from 'directput/react';
import { StrictMode, useEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';

const endpoint = new URLSearchParams(location.search).get('api') ?? '';

function Page() {
  const put = useRef<DirectPutElement>(null);
  const [isOff, setIsOff] = useState(false);
  const [told, setTold] = useState<string[]>([]);
  const [inWorker, setInWorker] = useState<boolean>();
  const { items, add, uploader } = useUpload({ endpoint });
  const result = items[0]?.result;
  useEffect(() => {
    document.body.dataset.state = 'ready';
  }, []);
  useEffect(() => {
    if (result) void uploader.runsInWorker().then(setInWorker);
  }, [result, uploader]);
  return (
    <>
      <input id="own" type="file" onChange={({ target }) => add(target.files ?? [])} />
      <output>{result && inWorker !== undefined ? JSON.stringify({ key: result.key, size: result.size, inWorker }) : ''}</output>
      <DirectPut
        ref={put}
        className="papers"
        endpoint={endpoint}
        multiple
        folders={false}
        disabled={isOff}
        options={{ caller: 'somebody', headers: () => ({ authorization: `Bearer ${told.length}` }) }}
        onStart={({ detail }) => setTold((told) => [...told, detail.path])}
        onStored={({ detail }) => setTold((told) => [...told, detail.result.key])}
        onChange={() => setTold((told) => [...told, put.current?.value ?? ''])}
      />
      <button type="button" id="off" onClick={() => setIsOff(!isOff)}>
        {told.join()}
      </button>
    </>
  );
}

createRoot(document.getElementById('app') as HTMLElement).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
