// Checks that the package's types are exactly those in the documents, not only that the code compiles.
import 'directput/element';
import { type ErrorCode, type Progress, type Upload, type UploadError, Uploader, type UploadResult } from 'directput';
import type { DirectPut as DirectPutElement, DirectPutAttributes, DirectPutEventMap } from 'directput/element';
import { type ListMethods, type Total, totalOf, type UploadItem, type UploadList } from 'directput/list';
import { type DirectPut, type DirectPutProps, useUpload as useInReact } from 'directput/react';
import { useUpload as useInVue } from 'directput/vue';
import type { ComponentProps, ComponentRef } from 'react';
import type { ComputedRef, GlobalComponents, ShallowRef } from 'vue';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Compiles only if the type argument is `true`. */
const is = <_ extends true>(): void => {};
// @ts-expect-error: `any` equals only `any`.
is<Equal<any, string>>();

// Errors
declare const error: UploadError;
is<Equal<UploadError['code'], ErrorCode>>();
is<Equal<UploadError['limit'], number | undefined>>();
is<Equal<Extract<ErrorCode, 'aborted' | 'closed' | 'load-failed' | 'md5'>, 'aborted' | 'closed' | 'load-failed'>>();
// @ts-expect-error: `cancelled` is not an error code.
error.code === 'cancelled';

// Uploads and their events
declare const uploader: Uploader;
is<Equal<ReturnType<typeof uploader.upload>, Upload>>();
is<Equal<Awaited<Upload>, UploadResult>>();
is<Equal<UploadResult['etag'], string | null>>();
uploader.addEventListener('stored', ({ detail }) => is<Equal<typeof detail.result, UploadResult>>());
uploader.addEventListener('failed', ({ detail }) => is<Equal<typeof detail.error, UploadError>>());
uploader.addEventListener('resumablechange', (event) => is<Equal<typeof event, Event>>());
// @ts-expect-error: `endpoint` is required.
new Uploader({});

// The element and its events
const put = document.createElement('direct-put');
is<Equal<typeof put, DirectPutElement>>();
put.addEventListener('stored', (event) => is<Equal<typeof event, DirectPutEventMap['stored']>>());
put.addEventListener('progress', ({ detail }) => is<Equal<typeof detail.progress, Progress>>());
put.addEventListener('failed', ({ detail }) => is<Equal<typeof detail.upload, Upload | undefined>>());
put.addEventListener('change', (event) => is<Equal<typeof event, Event>>());
put.addEventListener('keydown', (event) => is<Equal<typeof event, KeyboardEvent>>());
is<Equal<typeof put.maxFiles, number | null>>();
is<Equal<ReturnType<typeof put.retryAll>, void>>();
is<Equal<DirectPutAttributes['onstored'], ((event: DirectPutEventMap['stored']) => void) | undefined>>();

// Lists and hooks
declare const list: UploadList;
is<Equal<typeof list.total, Total>>();
is<Equal<ReturnType<typeof totalOf>, Total>>();
is<Equal<Total['secondsLeft'], number | null>>();
is<Equal<keyof ListMethods, 'add' | 'goOn' | 'retryAll' | 'cancelAll' | 'clearFinished' | 'clear'>>();
is<Equal<UploadItem['state'], 'running' | 'paused' | 'stored' | 'failed' | 'cancelled'>>();
export const inReact = () => useInReact(list);
is<Equal<ReturnType<typeof inReact>['items'], readonly UploadItem[]>>();
is<Equal<ReturnType<typeof inReact>['retryAll'], ListMethods['retryAll']>>();
export const inVue = () => useInVue({ endpoint: '/uploads' });
is<Equal<ReturnType<typeof inVue>['items'], Readonly<ShallowRef<readonly UploadItem[]>>>>();
is<Equal<ReturnType<typeof inVue>['total'], ComputedRef<Total>>>();

// The React component
is<Equal<ComponentRef<typeof DirectPut>, DirectPutElement>>();
is<Equal<DirectPutProps['onFailed'], ((event: DirectPutEventMap['failed']) => void) | undefined>>();
is<Equal<DirectPutProps['onChange'], ((event: Event) => void) | undefined>>();
is<Equal<DirectPutProps['maxFiles'], number | null | undefined>>();
is<Equal<Exclude<keyof DirectPutProps, keyof ComponentProps<typeof DirectPut>>, never>>();

// Vue templates
type InVue = InstanceType<GlobalComponents['direct-put']>['$props'];
is<Equal<InVue['endpoint'], string | undefined>>();
is<Equal<InVue['max-files'], number | string | undefined>>();
is<Equal<InVue['onstored'], DirectPutAttributes['onstored']>>();
