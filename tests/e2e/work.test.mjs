// The package's work for one event does not grow with the number of uploads. The tests count steps instead of time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { build } from 'esbuild';
import { faultyServer } from './harness.mjs';
import { openKit } from './kit.mjs';

const server = faultyServer('work');

/** Counts steps of iterators, and array elements that methods visit, until the returned function is called. */
function counter() {
  let steps = 0;
  const patch = (object, name, cost) => {
    const method = object[name];
    object[name] = function (...given) {
      steps += cost(this);
      return method.apply(this, given);
    };
    return () => {
      object[name] = method;
    };
  };
  const iterators = [[], new Map(), new Set()].map((list) => Object.getPrototypeOf(list[Symbol.iterator]()));
  const visits = ['map', 'filter', 'some', 'every', 'find', 'findIndex', 'forEach', 'flatMap', 'indexOf', 'includes'];
  steps = 0;
  const undo = [
    ...iterators.map((iterator) => patch(iterator, 'next', () => 1)),
    ...visits.map((name) => patch(Array.prototype, name, ({ length }) => length)),
  ];
  return () => {
    const counted = steps;
    for (const one of undo) one();
    return counted;
  };
}

async function load(path) {
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    format: 'esm',
    external: ['./worker.js', './inlined.js'],
    logLevel: 'silent',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

const progress = (sentBytes) => ({ phase: 'upload', size: 100, sentBytes, confirmedParts: 0 });

test('events of one upload take as many steps with 10,000 uploads as with 10', async () => {
  const { MessageBatcher } = await load('npm/message-batcher.ts');
  const stepsOf = (uploads) => {
    const gatherer = new MessageBatcher(() => {});
    for (let id = 0; id < uploads; id += 1) gatherer.add(id, { progress: progress(0) });
    const counted = counter();
    gatherer.add(5, { progress: progress(1) });
    gatherer.add(6, { retry: {} });
    gatherer.take(7);
    return counted();
  };
  assert.equal(stepsOf(10_000), stepsOf(10));
});

test('a change of a list of uploads takes as many steps with 10,000 items as with 10', async () => {
  // Builds one bundle, so that the list and the test use the same class `Uploader`.
  const entry = `export { Uploader } from './npm/index.ts'; export { UploadList } from './npm/list/index.ts';`;
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: '.', loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    external: ['./worker.js', './inlined.js'],
    logLevel: 'silent',
    plugins: [
      {
        name: 'sources',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.\..*\.js$/ }, ({ path, resolveDir }) => ({
            path: new URL(path.replace(/\.js$/, '.ts'), `file://${resolveDir}/`).pathname,
          })),
      },
    ],
  });
  const { Uploader, UploadList } = await import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
  );
  const stepsOf = async (uploads) => {
    const heard = [];
    const uploader = Object.assign(Object.create(Uploader.prototype), {
      upload(_, { onProgress }) {
        heard.push(onProgress);
        return Object.assign(new Promise(() => {}), { cancel() {} });
      },
      release() {},
    });
    const list = new UploadList(uploader);
    list.add(Array.from({ length: uploads }, () => new Blob(['x'])));
    await Promise.resolve();
    assert.equal(list.items.length, uploads);
    const before = list.items;
    let told;
    const { queueMicrotask } = globalThis;
    globalThis.queueMicrotask = (call) => {
      told = call;
    };
    const counted = counter();
    heard[5](progress(1));
    told();
    const steps = counted();
    globalThis.queueMicrotask = queueMicrotask;
    assert.notEqual(list.items, before);
    assert.equal(list.items[5].progress.sentBytes, 1);
    assert.deepEqual([list.items[4], list.items[6]], [before[4], before[6]]);
    // A removed item stays removed after further events, and removing it again has no effect.
    const [removed, next] = [list.items[5], list.items[6]];
    removed.remove();
    removed.remove();
    await Promise.resolve();
    heard[5](progress(2));
    heard[6](progress(3));
    await Promise.resolve();
    assert.equal(list.items.length, uploads - 1);
    assert.deepEqual([list.items[5].id, list.items[5].progress.sentBytes], [next.id, 3]);
    return steps;
  };
  assert.equal(await stepsOf(10_000), await stepsOf(10));
});

test('an event of an upload takes the element as many steps with 2,000 rows as with 10', async () => {
  // The counting function is sent to the page as text.
  const { page } = await openKit(server, { bypassCSP: true });
  const steps = await page.evaluate(async (source) => {
    const counter = new Function(`return ${source}`)();
    const { Uploader } = await import('/directput/index.js');
    await import('/directput/element/index.js');
    const stepsOf = async (rows) => {
      const uploads = [];
      const uploader = new Uploader({ endpoint: '/uploads' });
      uploader.listResumable = async () => [];
      uploader.upload = (file, { onProgress }) => {
        let store;
        const upload = Object.assign(
          new Promise((resolve) => {
            store = resolve;
          }),
          { cancel() {} },
        );
        uploads.push({ upload, onProgress, store, file });
        return upload;
      };
      const element = document.createElement('direct-put');
      element.setAttribute('multiple', '');
      element.setAttribute('name', 'keys');
      element.uploader = uploader;
      document.body.append(element);
      element.add(Array.from({ length: rows }, (_, index) => new File(['x'], `${index}.bin`)));
      // The uploads begin in several tasks.
      while (uploads.length < rows) await new Promise((resolve) => setTimeout(resolve, 50));
      const progress = {
        phase: 'upload',
        size: 1,
        sentBytes: 1,
        hashedBytes: 1,
        bytesPerSecond: 1,
        secondsLeft: 1,
        held: null,
      };
      const tell = () => {
        uploads[5].onProgress(progress);
        const detail = { upload: uploads[5].upload, file: uploads[5].file, progress };
        uploader.dispatchEvent(new CustomEvent('progress', { detail }));
      };
      let counted = counter();
      tell();
      const told = counted();
      // The end of an upload is handled in microtasks, which run before the next task.
      const ended = await new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        counted = counter();
        port1.onmessage = () => resolve(counted());
        uploads[6].store({ key: 'uploads/6', etag: '"6"', checksum: null, size: 1 });
        port2.postMessage(0);
      });
      element.remove();
      return [told, ended];
    };
    return { few: await stepsOf(10), many: await stepsOf(2_000) };
  }, counter.toString());
  // A frame may be drawn during the measurement. Its work does not depend on the number of rows either.
  const more = steps.many.map((count, index) => count - steps.few[index]);
  assert.ok(
    more.every((count) => count < 50),
    JSON.stringify(steps),
  );
});
