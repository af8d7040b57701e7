export default defineNuxtConfig({
  compatibilityDate: '2026-01-01',
  devtools: { enabled: false },
  app: { head: { title: 'An app by Nuxt', link: [{ rel: 'icon', href: 'data:,' }] } },
  // Vue must know every custom element.
  vue: { compilerOptions: { isCustomElement: (tag: string) => tag === 'direct-put' } },
});
