// A Vue component that uploads files.
import { useUpload } from 'directput/vue';
import { createApp, h, onMounted, ref, watch } from 'vue';

createApp({
  setup() {
    const { items, add, list } = useUpload({ endpoint: '/uploads' });
    const inWorker = ref();
    onMounted(() => {
      document.body.dataset.state = 'ready';
    });
    watch(items, async () => {
      if (items.value.some(({ state }) => state === 'stored')) inWorker.value = await list.uploader.runsInWorker();
    });
    return () => [
      h('input', { type: 'file', onChange: (event) => add(event.target.files) }),
      h(
        'ul',
        items.value.map((item) => h('li', { key: item.id, 'data-state': item.state }, item.name)),
      ),
      h('output', inWorker.value === undefined ? '' : JSON.stringify({ ...items.value[0]?.result, inWorker: inWorker.value })),
    ];
  },
}).mount('#app');
