// A list that several components share. It stays open while at least one of them is mounted.
import { UploadList } from 'directput/list';

export const endpoint = new URLSearchParams(location.search).get('api');
export const shared = new UploadList({ endpoint });
