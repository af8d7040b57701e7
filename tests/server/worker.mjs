// The Worker of `workerd.mjs`: the API of `directput/server` in Cloudflare's runtime.
import { createUploads } from '../../pkg/server/workerd.js';
import { optionsFrom } from './options.mjs';

let uploads;

export default {
  fetch(request, env) {
    uploads ??= createUploads(optionsFrom(env));
    return uploads(request);
  },
};
