import type { Pod } from '../../shared/schema/kubernetes-types.ts';
import type { EventRecorder } from './collaborators.ts';
import type { Waiting } from './observed-pod.ts';
import { podLabel } from './pod-label.ts';

type EventType = 'Normal' | 'Warning';

/** Records events against pods and their containers in the kubelet's words. */
export class PodEvents {
  readonly #recorder: EventRecorder;

  constructor(recorder: EventRecorder) {
    this.#recorder = recorder;
  }

  pod(pod: Pod, type: EventType, reason: string, message: string): void {
    this.#recorder.record(aboutPod(pod), { type, reason, message });
  }

  container(pod: Pod, name: string, type: EventType, reason: string, message: string): void {
    const isInit = (pod.spec.initContainers ?? []).some((container) => container.name === name);
    const fieldPath = `spec.${isInit ? 'initContainers' : 'containers'}{${name}}`;
    this.#recorder.record({ ...aboutPod(pod), fieldPath }, { type, reason, message });
  }

  /** What is told when containers begin to wait for another reason than before. */
  waiting(pod: Pod, before: ReadonlyMap<string, Waiting>, now: ReadonlyMap<string, Waiting>): void {
    for (const [name, waiting] of now) {
      const known = before.get(name);
      if (known?.reason === waiting.reason && known.message === waiting.message) continue;
      this.#oneWaiting(pod, name, waiting);
    }
  }

  #oneWaiting(pod: Pod, name: string, { reason, message = '' }: Waiting): void {
    switch (reason) {
      case 'CrashLoopBackOff':
        this.container(
          pod,
          name,
          'Warning',
          'BackOff',
          `Back-off restarting failed container ${name} in pod ${podLabel(pod)}`,
        );
        return;
      case 'ImagePullBackOff':
        this.container(
          pod,
          name,
          'Normal',
          'BackOff',
          message.replace(/^(Back-off pulling image "[^"]*").*$/s, '$1'),
        );
        break;
      case 'ErrImageNeverPull':
        this.container(pod, name, 'Warning', 'ErrImageNeverPull', message);
        break;
      case 'InvalidImageName':
        this.container(pod, name, 'Warning', 'InspectFailed', message);
        break;
      case 'ErrImagePull':
        break;
      default:
        return;
    }
    this.container(pod, name, 'Warning', 'Failed', `Error: ${reason}`);
  }
}

function aboutPod(pod: Pod) {
  const { namespace = '', name, uid } = pod.metadata;
  return { kind: 'Pod' as const, namespace, name, uid };
}
