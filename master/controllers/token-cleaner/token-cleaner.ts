import { SECRETS } from '../../../shared/resources/secret.ts';
import { JOIN_TOKEN_NAMESPACE } from '../../../shared/wire/join-token.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import { ignoreGone } from '../ignore-gone.ts';
import { tokenRemovalMs } from './plan.ts';

/** No timer is longer than 24 days, and the clock may be set meanwhile. */
const LOOK_AGAIN_MS = 24 * 60 * 60 * 1000;

/** Removes tokens that have expired, as Kubernetes' tokencleaner does; those that join devices a while later. */
export function tokenCleaner({ registry, clock, log }: ControllerParts): Controller {
  return {
    name: 'token-cleaner',
    triggers: [
      trigger(SECRETS, ({ object, removed }) =>
        removed ||
        object.metadata.namespace !== JOIN_TOKEN_NAMESPACE ||
        tokenRemovalMs(object) === undefined
          ? []
          : [object.metadata.name],
      ),
    ],
    async reconcile(name) {
      const key = { namespace: JOIN_TOKEN_NAMESPACE, name };
      const secret = registry.find(SECRETS, key);
      const removalMs = secret && tokenRemovalMs(secret);
      if (secret === undefined || removalMs === undefined) return undefined;
      const leftMs = removalMs - clock.nowMs();
      if (leftMs > 0) return { afterMs: Math.min(leftMs, LOOK_AGAIN_MS) };
      const { uid, resourceVersion } = secret.metadata;
      await registry
        .delete(SECRETS, key, { preconditions: { uid, resourceVersion } })
        .catch(ignoreGone);
      log.info('removed an expired join token', { secret: name });
      return undefined;
    },
  };
}
