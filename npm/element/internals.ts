// What the element is to its form.

/** Test environments that are no browsers (jsdom) lack most of it: there the element belongs to no form, and still works. */
const WITHOUT = {
  form: null,
  validity: { valid: true },
  validationMessage: '',
  setFormValue() {},
  setValidity() {},
  checkValidity: () => true,
  reportValidity: () => true,
};

/** `attachInternals`, where it does what a form needs. */
export function internalsOf(element: HTMLElement): ElementInternals {
  const internals: Partial<ElementInternals> | undefined = element.attachInternals?.();
  return (internals?.setFormValue ? internals : WITHOUT) as ElementInternals;
}
