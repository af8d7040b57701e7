import 'directput/element';

export const right = <direct-put endpoint="/uploads" name="papers" multiple max-files={3} id="papers" />;
// @ts-expect-error `endpoint` must be a string.
export const wrong = <direct-put endpoint={3} />;
