// Mounts the component that `App.svelte` is compiled to.
import { mount } from 'svelte';
import App from './compiled.js';

mount(App, { target: document.getElementById('app') });
