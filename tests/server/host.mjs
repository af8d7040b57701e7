// The API of `directput/server` in Node's HTTP server, for the Rust tests of the API (`API_HOST`). Ends with its
// standard input.
import { createServer } from 'node:http';
import { createUploads, toNodeHandler } from '../../pkg/server/index.js';
import { optionsFrom } from './options.mjs';

const server = createServer(toNodeHandler(createUploads(optionsFrom(process.env))));
server.listen(0, '127.0.0.1', () => console.log(`ready api=http://127.0.0.1:${server.address().port}/uploads`));
process.stdin.resume().on('end', () => process.exit());
