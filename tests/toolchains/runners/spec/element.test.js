// A test as users of the package write it: imports all entries, renders the element, and uses it.
import { UploadError, Uploader } from 'directput';
import { DirectPut } from 'directput/element';
import { UploadList } from 'directput/list';
import { FakeUploader } from 'directput/testing';

test('the element is rendered into a form, used and removed', async () => {
  document.body.innerHTML =
    '<form><direct-put name="papers" endpoint="/uploads" multiple required></direct-put></form>';
  const element = document.querySelector('direct-put');
  expect(element).toBeInstanceOf(DirectPut);
  expect(element.shadowRoot.querySelector('.choose').textContent).not.toBe('');
  expect(element.uploader).toBeInstanceOf(Uploader);
  element.setAttribute('accept', 'image/*');
  element.add([new File(['x'], 'x.txt', { type: 'text/plain' })]);
  expect(element.shadowRoot.querySelector('.name').textContent).toContain('x.txt');
  await Promise.resolve();
  expect(element.value).toBe('');
  element.clear();
  element.remove();
  await Promise.resolve();
});

test('there is one copy of each class', async () => {
  const list = new UploadList({ endpoint: '/uploads', accept: 'image/*' });
  expect(list.uploader).toBeInstanceOf(Uploader);
  const error = await list.uploader.upload(new File(['x'], 'x.txt')).catch((error) => error);
  expect(error).toBeInstanceOf(UploadError);
  await list.close();
});

test('the element shows what a test lets happen to its uploads', async () => {
  document.body.innerHTML = '<form><direct-put name="papers"></direct-put></form>';
  const element = document.querySelector('direct-put');
  const uploader = new FakeUploader();
  element.uploader = uploader;
  element.add([new File(['bytes'], 'a.txt')]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  uploader.uploads[0].store({ key: 'uploads/1' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(element.value).toBe('uploads/1');
  element.remove();
});
