import 'directput/element';

export const right = <direct-put endpoint="/uploads" name="papers" multiple max-files={3} id="papers" />;
// @ts-expect-error The address is a text.
export const wrong = <direct-put endpoint={3} />;
