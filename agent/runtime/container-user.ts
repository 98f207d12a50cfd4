import type { OciUser } from './oci-spec.ts';

/**
 * Resolves `user` (`1000`, `1000:3000`, `nobody`, `nobody:media`, or nothing) against the image's own /etc/passwd and /etc/group.
 * The groups that /etc/group lists the user in are added, as Kubernetes' default policy (Merge) has it.
 * Throws Error naming the user or group that the image does not have.
 */
export function containerUser(
  user: string,
  passwd: string,
  group: string,
  supplementalGroups: readonly number[],
): OciUser {
  const [wantedUser = '', wantedGroup = ''] = user.split(':');
  const users = passwd.split('\n').map((line) => line.split(':'));
  const groups = group.split('\n').map((line) => line.split(':'));
  const entry = users.find(
    ([name, , uid]) => name === (wantedUser || 'root') || uid === (wantedUser || '0'),
  );
  if (entry === undefined && !isNumber(wantedUser || '0')) {
    throw new Error(`unable to find user ${wantedUser}: no matching entries in passwd file`);
  }
  const memberOf = groups.filter(([, , , members = '']) =>
    members.split(',').includes(entry?.[0] ?? '\n'),
  );
  return {
    uid: Number(entry?.[2] ?? (wantedUser || '0')),
    gid: wantedGroup === '' ? Number(entry?.[3] ?? 0) : groupId(wantedGroup, groups),
    additionalGids: [
      ...new Set([...supplementalGroups, ...memberOf.map((line) => Number(line[2]))]),
    ],
    home: entry?.[5] || '/',
  };
}

function groupId(wanted: string, groups: readonly string[][]): number {
  if (isNumber(wanted)) return Number(wanted);
  const entry = groups.find(([name]) => name === wanted);
  if (entry === undefined) {
    throw new Error(`unable to find group ${wanted}: no matching entries in group file`);
  }
  return Number(entry[2]);
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}
