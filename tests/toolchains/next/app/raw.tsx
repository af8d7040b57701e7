'use client';

import 'directput/element';

const OPTIONS = { warnBeforeLeaving: false };

/** The element without its React component, to check its JSX types. */
export const Raw = () => (
  <direct-put name="papers" endpoint="/uploads" options={OPTIONS} multiple onstored={({ detail }) => console.info(detail.result.key)} />
);
