// The package's JavaScript interface: events, progress with `for await`, rules for files, options of one upload.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { curlAs, faultyServer, hits, MIB, objects, openPage, openUploads, SLOW, setFaults } from './harness.mjs';

const server = faultyServer('api');

/** Runs a function in a page, with the package's module and an argument. */
async function inPage(run, argument) {
  const { page, troubles, close } = await openPage(server);
  const result = await page.evaluate(
    `import('/directput/index.js').then((directput) => (${run})(directput, ${JSON.stringify(argument)}))`,
  );
  assert.deepEqual(troubles, []);
  await close();
  return result;
}

test('an uploader reports its uploads with events', async () => {
  await setFaults(server, { on: 'put', status: 503, firstOfEach: 1, times: 1 });
  const seen = await inPage(async ({ Uploader, UploadError }, size) => {
    const uploader = new Uploader({ endpoint: '/uploads' });
    const seen = { types: [], isSame: true };
    const file = new File([new Uint8Array(size)], 'a.bin');
    let upload;
    for (const type of ['start', 'progress', 'retry', 'stored', 'failed']) {
      uploader.addEventListener(type, ({ detail }) => {
        if (seen.types.at(-1) !== type) seen.types.push(type);
        if (upload) seen.isSame &&= detail.upload === upload && detail.file === file;
        if (type === 'progress') seen.phase = detail.progress.phase;
        if (type === 'retry') seen.retried = detail.retry.part;
        if (type === 'stored') seen.key = detail.result.key;
      });
    }
    upload = uploader.upload(file);
    const { key } = await upload;
    const first = { ...seen, types: [...seen.types], isKey: key === seen.key };
    const unhandled = [];
    addEventListener('unhandledrejection', (event) => {
      event.preventDefault();
      unhandled.push(event.reason.code);
    });
    uploader.addEventListener('failed', (event) => {
      first.isError = event.detail.error instanceof UploadError;
      if (event.detail.file.name === 'seen-to') event.preventDefault();
    });
    for (const name of ['seen-to', 'not-seen-to']) uploader.upload(new File(['x'], name)).cancel();
    await new Promise((resolve) => setTimeout(resolve, 500));
    return { ...first, unhandled };
  }, 20 * MIB);
  const { types, key, ...others } = seen;
  assert.deepEqual(types.slice(0, 2), ['start', 'progress']);
  assert.ok(types.includes('retry'), types.join());
  assert.ok(types.includes('stored'), types.join());
  assert.match(key, /^uploads\//);
  assert.deepEqual(
    { ...others, retried: others.retried > 0 },
    { isSame: true, phase: 'done', retried: true, isKey: true, isError: true, unhandled: ['aborted'] },
  );
});

test('`for await` gives the latest progress until the end, and throws the error of the upload', async () => {
  await setFaults(server, SLOW);
  const seen = await inPage(async ({ Uploader }, size) => {
    const uploader = new Uploader({ endpoint: '/uploads' });
    const upload = uploader.upload(new Blob([new Uint8Array(size)]));
    const shares = [];
    for await (const { sentBytes, phase } of upload) {
      shares.push(sentBytes / size);
      if (phase === 'upload') await new Promise((resolve) => setTimeout(resolve, 300));
    }
    const late = [];
    for await (const { phase } of upload) late.push(phase);
    const cancelled = uploader.upload(new Blob([new Uint8Array(size)]));
    let code;
    try {
      for await (const { sentBytes } of cancelled) if (sentBytes > 0) cancelled.cancel();
    } catch (error) {
      code = error.code;
    }
    // A page that only uses `for await` gets no unhandled rejection.
    const left = [];
    addEventListener('unhandledrejection', ({ reason }) => left.push(reason.code));
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { shares, late, code, left, size: (await upload).size };
  }, 40 * MIB);
  const { shares } = seen;
  assert.deepEqual(shares, [...shares].sort(), 'progress only grows');
  assert.ok(shares.length >= 3 && shares.at(-1) === 1, shares.join());
  assert.deepEqual({ ...seen, shares: [] }, { shares: [], late: ['done'], code: 'aborted', left: [], size: 40 * MIB });
  assert.deepEqual(openUploads(server), []);
});

test('files that break a rule are refused with a code, without a call', async () => {
  await setFaults(server, { on: 'create' });
  const before = objects(server);
  const codes = await inPage(async ({ Uploader }) => {
    const upload = async (rules, file, options) => {
      const uploader = new Uploader({ endpoint: '/uploads', ...rules });
      try {
        await uploader.upload(file, options);
        return 'stored';
      } catch ({ code, status, retryable, message, cause, limit, actual }) {
        return [code, status, retryable, message.length > 10, cause?.message, limit, actual].join(' ');
      } finally {
        await uploader.close();
      }
    };
    const png = new File(['x'.repeat(50)], 'a.PNG', { type: 'image/png' });
    const thrower = () => {
      throw new Error('mine');
    };
    return Promise.all([
      upload({ accept: '.pdf, text/*' }, png),
      upload({ maxBytes: 49 }, png),
      upload({ minBytes: 51 }, png),
      upload({ maxFiles: 0 }, png),
      upload({ beforeUpload: () => false }, png),
      upload({ beforeUpload: async () => thrower() }, png),
    ]);
  });
  assert.deepEqual(codes, [
    'type-not-allowed 0 false true   ',
    'file-too-large 0 false true  49 50',
    'file-too-small 0 false true  51 50',
    'too-many-files 0 false true  0 1',
    'not-accepted 0 false true   ',
    'not-accepted 0 false true mine  ',
  ]);
  assert.equal(await hits(server), 0);
  assert.deepEqual(objects(server), before);
});

test('a failed upload frees its place in the count', async () => {
  const codes = await inPage(async ({ Uploader }) => {
    const uploader = new Uploader({ endpoint: '/uploads', maxFiles: 2 });
    const code = (upload) => upload.then(() => 'stored').catch((error) => error.code);
    const file = (name) => new File(['x'], name);
    const [one, two, three] = ['1', '2', '3'].map((name) => uploader.upload(file(name)));
    two.cancel();
    const first = await Promise.all([one, two, three].map(code));
    return [...first, await code(uploader.upload(file('4'))), await code(uploader.upload(file('5')))];
  });
  assert.deepEqual(codes, ['stored', 'aborted', 'too-many-files', 'stored', 'too-many-files']);
});

test('a stored upload that the page releases frees its place', async () => {
  const codes = await inPage(async ({ Uploader }) => {
    const uploader = new Uploader({ endpoint: '/uploads', maxFiles: 1 });
    const code = (upload) => upload.then(() => 'stored').catch((error) => error.code);
    const first = uploader.upload(new File(['x'], '1'));
    const codes = [await code(first), await code(uploader.upload(new File(['x'], '2')))];
    // A second call has no effect.
    for (let times = 0; times < 2; times += 1) uploader.release(first);
    return [...codes, ...(await Promise.all(['3', '4'].map((name) => code(uploader.upload(new File(['x'], name))))))];
  });
  assert.deepEqual(codes, ['stored', 'too-many-files', 'stored', 'too-many-files']);
});

test('a file can replace another one, and its size counts', async () => {
  const results = await inPage(async ({ Uploader }) => {
    const end = (upload) => upload.catch(({ code, limit, actual }) => [code, limit, actual].join(' '));
    const send = (beforeUpload) =>
      end(
        new Uploader({ endpoint: '/uploads', maxBytes: 10, beforeUpload }).upload(
          new File(['x'.repeat(50)], 'large.png', { type: 'image/png' }),
        ),
      );
    const smaller = new Blob(['small'], { type: 'image/jpeg' });
    return Promise.all([
      send(async () => smaller),
      send(() => new File(['tiny'], 'tiny.webp', { type: 'image/webp' })),
      send(() => new Blob(['x'.repeat(20)])),
      send(() => undefined),
    ]);
  });
  const head = (key) => curlAs(server, `${server.bucket}/${key}`, '--dump-header', '-', '--output', '/dev/null');
  assert.deepEqual(
    results.map((result) => result.size ?? result),
    [5, 4, 'file-too-large 10 20', 'file-too-large 10 50'],
  );
  assert.match(head(results[0].key), /^content-type: image\/jpeg\r$/im);
  assert.match(head(results[0].key), /^x-amz-meta-name: large\.png\r$/im);
  assert.match(head(results[1].key), /^x-amz-meta-name: tiny\.webp\r$/im);
});

test('`accept` has the syntax of the attribute', async () => {
  const taken = await inPage(({ isAccepted }) =>
    [
      ['.jpg,.JPEG', 'a.jpeg', ''],
      ['image/*', 'a', 'image/webp'],
      ['image/*', 'a.png', ''],
      ['image/*', 'IMG_1.HEIC', ''],
      ['image/*', 'a.pdf', ''],
      ['image/*', 'heic', ''],
      ['image/*', 'a.heic', 'text/plain'],
      ['image/jpeg', 'a.JPG', ''],
      ['application/pdf', 'a.pdf', ''],
      ['video/*', 'a.mov', ''],
      ['audio/*', 'a.mov', ''],
      ['text/plain', 'a.txt', 'text/plain;charset=utf-8'],
      ['.png', 'a.png.exe', 'image/png'],
      [' , ', 'a', 'b/c'],
      ['image', 'a', 'image/png'],
      ['*/*', 'a', ''],
    ].map((rule) => isAccepted(...rule)),
  );
  assert.deepEqual(taken, [
    ...[true, true, true, true, false, false, false, true, true, true, false],
    ...[true, false, true, false, true],
  ]);
});

test('the page can rename a file, and set options of a single upload', async () => {
  const results = await inPage(async ({ Uploader }) => {
    const beforeUpload = async (_, { name, type }) => ({ name: `mine ${name}`, type: type || 'text/x-mine' });
    const uploader = new Uploader({ endpoint: '/uploads', beforeUpload });
    const renamed = await uploader.upload(new File(['x'], 'a.txt'));
    const other = await uploader.upload(new File(['x'], 'b.txt'), { checksum: 'crc64nvme', name: 'c.txt' });
    const wrong = await uploader.upload(new File(['x'], 'd'), { checksum: 'md5' }).catch((error) => error.message);
    return { renamed, other, wrong };
  });
  const head = (key) => curlAs(server, `${server.bucket}/${key}`, '--dump-header', '-', '--output', '/dev/null');
  const { renamed, other, wrong } = results;
  assert.match(head(renamed.key), /^x-amz-meta-name: mine%20a\.txt\r$/im);
  assert.match(head(renamed.key), /^content-type: text\/x-mine\r$/im);
  assert.match(head(other.key), /^x-amz-meta-name: mine%20c\.txt\r$/im);
  assert.match(renamed.checksum, /^[\w+/]{43}=$/);
  assert.match(other.checksum, /^[\w+/]{11}=$/);
  assert.match(wrong, /checksum: expected one of sha256, crc64nvme, crc64nvme-after, none/);
});

test('steps of parts are reported in order', async () => {
  const news = await inPage(async ({ Uploader }, size) => {
    const news = [];
    const onPart = ({ number, state }) => news.push([number, state]);
    await new Uploader({ endpoint: '/uploads' }).upload(new Blob([new Uint8Array(size)]), { onPart });
    return news;
  }, 40 * MIB);
  for (let part = 1; part <= 5; part += 1) {
    const states = news.filter(([number]) => number === part).map(([, state]) => state);
    assert.deepEqual(states, ['hashing', 'hashed', 'sending', 'stored'], `part ${part}`);
  }
});

test('invalid options are refused by the call that gets them', async () => {
  const messages = await inPage(({ Uploader }) =>
    [{ maxBytes: -1 }, { minBytes: 1.5 }, { maxFiles: '3' }, { accept: ['.png'] }, { beforeUpload: true }].map(
      (rules) => {
        try {
          return String(new Uploader({ endpoint: '/uploads', ...rules }));
        } catch (error) {
          return `${error.code} ${/\((\w+):/.exec(error.message)?.[1]}`;
        }
      },
    ),
  );
  assert.deepEqual(
    messages,
    ['maxBytes', 'minBytes', 'maxFiles', 'accept', 'beforeUpload'].map((name) => `invalid-option ${name}`),
  );
});
