// What components of several places show: a list that lasts while one of them is there.
import { UploadList } from 'directput/list';

export const endpoint = new URLSearchParams(location.search).get('api');
export const shared = new UploadList({ endpoint });
