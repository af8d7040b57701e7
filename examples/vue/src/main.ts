import { createApp } from 'vue';
import Uploads from './Uploads.vue';

createApp(Uploads).mount('#app');
