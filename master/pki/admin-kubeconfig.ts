import { readFile, stat } from 'node:fs/promises';
import { writePrivateFile } from '../private-file.ts';

export interface AdminAccess {
  /** `https://host:port`. */
  server: string;
  /** PEM. */
  ca: string;
  certificate: string;
  privateKey: string;
}

/**
 * The kubeconfig of the administrator with the certificates embedded (clientcmd v1), so that the one file is all
 * that kubectl needs.
 */
export function adminKubeconfig({ server, ca, certificate, privateKey }: AdminAccess): string {
  return `apiVersion: v1
kind: Config
clusters:
- name: skerry
  cluster:
    server: ${JSON.stringify(server)}
    certificate-authority-data: ${base64(ca)}
users:
- name: skerry-admin
  user:
    client-certificate-data: ${base64(certificate)}
    client-key-data: ${base64(privateKey)}
contexts:
- name: skerry
  context:
    cluster: skerry
    user: skerry-admin
current-context: skerry
`;
}

/** Writes it, 0600, atomically, unless it is there already as it should be; the folder must exist. */
export async function writeAdminKubeconfig(path: string, access: AdminAccess): Promise<void> {
  const text = adminKubeconfig(access);
  if ((await readPrivateText(path)) !== text) await writePrivateFile(path, text);
}

/** Undefined also when others may read it: it is written anew then. */
async function readPrivateText(path: string): Promise<string | undefined> {
  try {
    const { mode } = await stat(path);
    return (mode & 0o077) === 0 ? await readFile(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
