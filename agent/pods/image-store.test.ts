import { expect, it } from 'vitest';
import { ImageStore } from './image-store.ts';
import { FakeRuntime } from './testing/fake-runtime.ts';

it('of very many images the ones used last are known', async () => {
  const images = new ImageStore(new FakeRuntime(() => 7), () => 7);
  await images.lookUp('often');
  for (let n = 0; n < 1000; n += 1) {
    await images.lookUp(`image-${n}`);
    expect(images.known('often')).toEqual({ absentSinceMs: 7 });
  }
  expect(images.known('image-999')).toBeDefined();
  expect(images.known('image-0')).toBeUndefined();
});
