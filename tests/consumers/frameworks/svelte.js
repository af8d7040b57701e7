// Mounts the component compiled from `App.svelte`.
import { mount } from 'svelte';
import App from './compiled.js';

mount(App, { target: document.getElementById('app') });
