// The element as a React component, hydrated from HTML that a server has rendered.
import { DirectPut } from 'directput/react';
import { StrictMode, Suspense, use, useEffect, useRef, useState } from 'react';
import { hydrateRoot } from 'react-dom/client';

globalThis.told = [];

/** Suspends the nearest Suspense boundary until a promise resolves. */
function Wait({ until }) {
  if (until) use(until);
  return null;
}

export function Page() {
  const put = useRef(null);
  const [count, setCount] = useState(1);
  const [maxFiles, setMaxFiles] = useState(9);
  const [wait, setWait] = useState();
  useEffect(() => {
    globalThis.put = put;
    globalThis.page = { again: () => setCount((count) => count + 1), setMaxFiles, setWait };
    document.body.dataset.state = 'ready';
    document.body.dataset.count = count;
  });
  const tell = ({ type, detail }) => globalThis.told.push([type, count, detail?.result?.size ?? detail?.error?.code ?? '']);
  return (
    <Suspense fallback={<p id="fallback">wait</p>}>
      <Wait until={wait} />
      <DirectPut
        ref={put}
        className="papers"
        aria-label="Papers"
        endpoint="/uploads"
        multiple
        disabled={false}
        maxFiles={maxFiles}
        options={{ maxBytes: 30_000_000, headers: () => ({ authorization: `Bearer ${count}` }) }}
        uploadOptions={() => ({ name: `number ${count}` })}
        labels={{ choose: 'Pick papers' }}
        onStart={tell}
        onProgress={() => {
          globalThis.moved = count;
        }}
        onStored={tell}
        onFailed={tell}
        onChange={tell}
      />
    </Suspense>
  );
}

if (globalThis.document) {
  const root = document.getElementById('app');
  hydrateRoot(
    root,
    <StrictMode>
      <Page />
    </StrictMode>,
    { onRecoverableError: (error) => globalThis.told.push(['mismatch', error.message]) },
  );
}
