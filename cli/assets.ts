import { fileURLToPath } from 'node:url';

/** Where the build put what the programs start or read beside themselves: dist/lib and dist/openapi. */
const LIBRARY = new URL('.', import.meta.url);

export const MASTER_ASSETS = {
  x509Command: [process.execPath, fileURLToPath(new URL('x509-main.mjs', LIBRARY))],
  openApiDirectory: fileURLToPath(new URL('../openapi', LIBRARY)),
};

export const AGENT_ASSETS = {
  inventoryCommand: [process.execPath, fileURLToPath(new URL('inventory-main.mjs', LIBRARY))],
};
