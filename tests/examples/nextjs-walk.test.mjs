// Follows `docs/nextjs.md` from an empty folder, as a new user does: runs the commands, writes the files, and uploads
// in a browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { blocks } from '../docs/markdown.mjs';
import { makeFile } from '../e2e/bucket.mjs';
import { run } from '../toolchains/harness.mjs';
import { SIZE } from './app.mjs';
import { assertStored, filled, settingsOf, uploadsByElement, withApp, withBucket } from './own-api.mjs';

const TARGET = resolve(process.env.CARGO_TARGET_DIR ?? 'target');
const FOLDER = join(TARGET, 'nextjs-walk');
const ADDRESS = ['--hostname', '127.0.0.1', '--port', '{port}'];
const samples = blocks('docs/nextjs.md');
const example = JSON.parse(readFileSync('examples/nextjs/package.json', 'utf8'));
const versions = { ...example.dependencies, ...example.devDependencies };

/** Returns the text of the document's file, or the last of several. */
const sample = (name) => samples.findLast(({ before }) => before.includes(`\`${name}\``)).text;
const command = (start) => samples.find(({ language, text }) => language === 'sh' && text.startsWith(start)).text;

function write(name, text = sample(name)) {
  mkdirSync(dirname(join(FOLDER, name)), { recursive: true });
  writeFileSync(join(FOLDER, name), text);
}

/** The user's own `auth.ts`: the session is a cookie. */
const AUTH = `import { cookies } from 'next/headers';
export async function auth() {
  const id = (await cookies()).get('session')?.value;
  return id ? { user: { id } } : null;
}
`;
/** The page of the document has no icon. */
const ICON = /favicon/;
const ROUTE = 'app/uploads/[[...path]]/route.ts';

test('what docs/nextjs.md says ends in uploads', async (t) => {
  // Installs the versions of the example.
  const install = command('npm init')
    .replace('../directput/pkg', resolve('pkg'))
    .replace(
      / (next|react|react-dom|typescript|@types\/\w+)(?=[ \n])/g,
      (_, name) => ` ${name}@${versions[name] ?? ''}`,
    );
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  execFileSync('bash', ['-euo', 'pipefail', '-c', install], { cwd: FOLDER, stdio: 'pipe' });
  for (const name of ['app/layout.tsx', 'app/page.tsx', ROUTE]) write(name);
  assert.ok(sample('app/page.tsx').trimEnd().split('\n').length <= 10);

  const cors = JSON.parse(sample('cors.json')).CORSRules[0];
  await t.test('with the development server, and headers that the rule of the bucket allows', async () => {
    await withBucket(async (server, port) => {
      write('.env.local', filled(sample('.env.local'), settingsOf(server)));
      const args = command('npx next dev').trim().split(' ').slice(1);
      const use = async (tab) => {
        const sent = new Set();
        tab.on('request', (request) => {
          const isPut = request.method() === 'PUT' && request.url().startsWith(server.s3);
          if (isPut) for (const name of Object.keys(request.headers())) sent.add(name);
        });
        await uploadsByElement(tab, server);
        // These headers need no permission: https://fetch.spec.whatwg.org/#forbidden-request-header
        const free = /^(accept.*|content-length|host|origin|referer|user-agent|sec-.*|connection)$/;
        const needed = [...sent].filter((name) => !free.test(name));
        assert.ok(needed.includes('x-amz-checksum-sha256'), needed.join());
        const refused = needed.filter((name) => !cors.AllowedHeaders.includes(name));
        assert.deepEqual(refused, []);
      };
      await withApp(FOLDER, [...args, ...ADDRESS], port, use, { tolerated: ICON });
    });
  });

  await t.test('the rights and the rules of the bucket', () => {
    assert.deepEqual([cors.AllowedMethods, cors.ExposeHeaders[0]], [['PUT'], 'etag']);
    const [{ Action, Resource }] = JSON.parse(sample('policy.json')).Statement;
    assert.deepEqual(Action, ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts']);
    assert.match(Resource, /\/uploads\/\*$/);
    assert.equal(JSON.parse(sample('lifecycle.json')).Rules[0].AbortIncompleteMultipartUpload.DaysAfterInitiation, 8);
  });

  await t.test('built without the settings, for signed-in users', async () => {
    await withBucket(async (server, port) => {
      rmSync(join(FOLDER, '.env.local'));
      write('auth.ts', AUTH);
      write('authorize.ts');
      const route = sample(ROUTE).replace("authorize: 'anyone'", 'authorize');
      write(ROUTE, `import { authorize } from '../../../authorize';\n${route}`);
      const [build, start] = command('npx next build').trim().split('\n');
      run(FOLDER, ...build.split(' ').slice(1));
      const use = async (tab) => {
        const url = tab.url();
        assert.equal((await fetch(new URL('uploads', url), { method: 'POST' })).status, 401);
        await tab.context().addCookies([{ name: 'session', value: 'ada', url }]);
        const path = await makeFile('paper.pdf', SIZE);
        await tab.locator('direct-put').locator('#file').setInputFiles(path);
        await tab.locator('direct-put [data-state=stored]').waitFor();
        const key = await tab.locator('direct-put').evaluate((put) => put.value);
        assert.match(key, /^uploads\/users\/ada\//);
        await assertStored(server, key, path);
      };
      const env = settingsOf(server);
      await withApp(FOLDER, [...start.split(' ').slice(1), ...ADDRESS], port, use, { env, tolerated: ICON });
    });
  });
});
