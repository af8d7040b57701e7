// A React component that uploads files.
import { useUpload } from 'directput/react';
import { Activity, StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

function Uploads() {
  const { items, add, clear, uploader } = useUpload({ endpoint: '/uploads', headers: () => ({ authorization: 'Bearer x' }) });
  const [inWorker, setInWorker] = useState();
  useEffect(() => {
    if (items.some(({ state }) => state === 'stored')) uploader.runsInWorker().then(setInWorker);
  }, [items, uploader]);
  return (
    <>
      <input type="file" multiple onChange={(event) => add(event.target.files)} />
      <ul>
        {items.map((item) => (
          <li key={item.id} data-state={item.state}>
            <progress value={item.progress ? item.progress.sentBytes / item.size : 0} />
            <button type="button" onClick={item.state === 'paused' ? item.resume : item.pause}>
              pause
            </button>
            <button type="button" onClick={item.cancel}>
              cancel
            </button>
            <button type="button" onClick={item.retry}>
              retry
            </button>
            <button type="button" onClick={item.remove}>
              remove
            </button>
            <code>{item.result?.key ?? item.error?.code}</code>
          </li>
        ))}
      </ul>
      <button type="button" id="clear" onClick={clear}>
        clear
      </button>
      <output>{inWorker === undefined ? '' : JSON.stringify({ ...items.find(({ result }) => result)?.result, inWorker })}</output>
    </>
  );
}

function App() {
  const [isThere, setIsThere] = useState(true);
  const [mode, setMode] = useState('visible');
  useEffect(() => {
    document.body.dataset.state = 'ready';
  }, []);
  return (
    <>
      {isThere && (
        <Activity mode={mode}>
          <Uploads />
        </Activity>
      )}
      <button type="button" id="hide" onClick={() => setMode(mode === 'visible' ? 'hidden' : 'visible')}>
        {mode}
      </button>
      <button type="button" id="unmount" onClick={() => setIsThere(false)}>
        unmount
      </button>
    </>
  );
}

createRoot(document.getElementById('app')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
