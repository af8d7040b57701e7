import { Suspense, useEffect, useState } from 'react';
import { Shared } from './Shared.jsx';
import { Uploads } from './Uploads.jsx';

/** The page. `globalThis.suspend` makes `Uploads` wait for a promise. */
export function App() {
  const [until, setUntil] = useState();
  useEffect(() => {
    globalThis.suspend = () => {
      const { promise, resolve } = Promise.withResolvers();
      globalThis.goOn = resolve;
      setUntil(promise);
    };
    document.body.dataset.state = 'ready';
  }, []);
  return (
    <>
      <Suspense fallback={<p id="fallback">wait</p>}>
        <Uploads until={until} />
      </Suspense>
      <Shared />
    </>
  );
}
