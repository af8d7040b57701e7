import 'directput/element';

// Your form goes to your server. This one has none, so it shows what the server would get: the key of each stored file.
document.querySelector('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const fields = new FormData(event.target);
  document.querySelector('output').value = `${fields.get('name')} sends ${fields.getAll('papers').join(', ')}`;
});
