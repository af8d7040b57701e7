import { Component, CUSTOM_ELEMENTS_SCHEMA, provideZonelessChangeDetection, signal } from '@angular/core';
import { bootstrapApplication } from '@angular/platform-browser';
import { type UploadError, Uploader } from 'directput';
import 'directput/element';

@Component({
  selector: 'app-root',
  schemas: [CUSTOM_ELEMENTS_SCHEMA],
  template: `
    <input id="own" type="file" (change)="choose($event)" />
    <output>{{ said() }}</output>
    <direct-put [attr.endpoint]="endpoint" multiple></direct-put>
  `,
})
class App {
  readonly endpoint = new URLSearchParams(location.search).get('api') ?? '';
  readonly said = signal('');
  readonly #uploader = new Uploader({ endpoint: this.endpoint });

  async choose({ target }: Event): Promise<void> {
    const [file] = (target as HTMLInputElement).files ?? [];
    if (!file) return;
    try {
      const { key, size } = await this.#uploader.upload(file);
      this.said.set(JSON.stringify({ key, size, inWorker: await this.#uploader.runsInWorker() }));
    } catch (error) {
      const { code, message } = error as UploadError;
      this.said.set(JSON.stringify({ code, message }));
    }
  }
}

await bootstrapApplication(App, { providers: [provideZonelessChangeDetection()] });
document.body.dataset.state = 'ready';
