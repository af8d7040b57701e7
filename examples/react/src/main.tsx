import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Uploads } from './uploads.tsx';

createRoot(document.getElementById('app') as HTMLElement).render(
  <StrictMode>
    <Uploads />
  </StrictMode>,
);
