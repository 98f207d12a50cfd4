import { parseTime } from '../../../shared/meta/time.ts';
import { EVENTS } from '../../../shared/resources/event.ts';
import { type Controller, type ControllerParts, trigger } from '../controller.ts';
import { ignoreGone } from '../ignore-gone.ts';

/** kube-apiserver's default --event-ttl. */
const EVENT_TTL_MS = 60 * 60 * 1000;
/** Events are looked through in one go, so that a thousand of them cost one timer. */
const KEY = 'events';

/** Lets events go an hour after they were last seen: they live in memory. */
export function eventExpiryController({ registry, clock }: ControllerParts): Controller {
  // While a pass is due there is nothing to do for a new event: it will be older than none that is looked at then.
  let passIsDue = false;
  return {
    name: 'event-expiry',
    triggers: [
      trigger(EVENTS, () => {
        if (passIsDue) return [];
        passIsDue = true;
        return [KEY];
      }),
    ],
    async reconcile() {
      const nowMs = clock.nowMs();
      const age = (times: { lastTimestamp?: string; metadata: { creationTimestamp: string } }) =>
        nowMs -
        (parseTime(times.lastTimestamp) ?? parseTime(times.metadata.creationTimestamp) ?? nowMs);
      let oldestMs = -1;
      for (const event of registry.list(EVENTS)) {
        const ageMs = age(event);
        if (ageMs < EVENT_TTL_MS) {
          oldestMs = Math.max(oldestMs, ageMs);
          continue;
        }
        const { namespace = '', name } = event.metadata;
        await registry.delete(EVENTS, { namespace, name }).catch(ignoreGone);
      }
      passIsDue = oldestMs >= 0;
      // At most once a minute, however many come due one after the other.
      return oldestMs < 0 ? undefined : { afterMs: Math.max(60_000, EVENT_TTL_MS - oldestMs) };
    },
  };
}
