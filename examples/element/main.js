import 'directput/element';

// Your form is sent to your server. This example has no server, so it shows the fields that a server would get: the
// name, and the key of each stored file.
document.querySelector('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const fields = new FormData(event.target);
  document.querySelector('output').value = `${fields.get('name')} sends ${fields.getAll('papers').join(', ')}`;
});
