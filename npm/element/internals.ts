// The `ElementInternals` of the element, which connect it to its form.

/** Stands in where `ElementInternals` is incomplete, as in jsdom: the element works, but belongs to no form. */
const WITHOUT = {
  form: null,
  validity: { valid: true },
  validationMessage: '',
  setFormValue() {},
  setValidity() {},
  checkValidity: () => true,
  reportValidity: () => true,
};

/** Returns the element's internals; the stand-in if they have no `setFormValue`. */
export function internalsOf(element: HTMLElement): ElementInternals {
  const internals: Partial<ElementInternals> | undefined = element.attachInternals?.();
  return (internals?.setFormValue ? internals : WITHOUT) as ElementInternals;
}
