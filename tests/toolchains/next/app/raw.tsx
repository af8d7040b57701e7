'use client';

import 'directput/element';

const OPTIONS = { warnBeforeLeaving: false };

/** The element itself, for the types that it brings. */
export const Raw = () => (
  <direct-put name="papers" endpoint="/uploads" options={OPTIONS} multiple onstored={({ detail }) => console.info(detail.result.key)} />
);
