import { MemoryStore } from './memory-store.ts';
import { describeStore } from './store.contract.ts';

describeStore('the memory store', async () => {
  const store = new MemoryStore();
  await store.open();
  return { store, cleanUp: () => store.close() };
});
