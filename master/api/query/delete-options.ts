import { invalid } from '../../../shared/errors.ts';
import {
  type FieldError,
  fieldInvalid,
  fieldNotSupported,
} from '../../../shared/meta/field-error.ts';
import type { DeleteOptions as DeleteOptionsBody } from '../../../shared/schema/kubernetes-types.ts';
import type { DeleteOptions } from '../../store/registry.ts';
import { decodeDeleteBody, readBody } from '../body.ts';
import type { Exchange } from '../exchange.ts';
import { isTrue } from './flag.ts';
import { integer } from './integer.ts';
import { dryRunErrors } from './write-options.ts';

const DELETE_OPTIONS = { group: 'meta.k8s.io', kind: 'DeleteOptions' };

const POLICIES = ['Background', 'Foreground', 'Orphan'] as const;

interface CheckedDeleteOptions extends DeleteOptions {
  /** The client said in the older way (orphanDependents: false) that dependents go too. */
  isOldBackground: boolean;
}

/** The DeleteOptions of a body (JSON, YAML or protobuf) or, without one, of the query. Throws BadRequest, Invalid. */
export async function deleteOptions({ req, query }: Exchange): Promise<CheckedDeleteOptions> {
  const body = await readBody(req);
  const given =
    body.byteLength > 0 ? decodeDeleteBody(req.headers['content-type'], body) : ofQuery(query);
  return checkedDeleteOptions(given);
}

/** The same of options that came within another object. Throws Invalid. */
export function checkedDeleteOptions(given: DeleteOptionsBody): CheckedDeleteOptions {
  const errors = validate(given);
  if (errors.length > 0) throw invalid(DELETE_OPTIONS, '', errors);
  const policy = policyOf(given);
  return {
    dryRun: (given.dryRun ?? []).length > 0,
    isOldBackground: given.orphanDependents === false,
    ...(given.gracePeriodSeconds === undefined
      ? {}
      : { gracePeriodSeconds: given.gracePeriodSeconds }),
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
    ...(given.preconditions === undefined ? {} : { preconditions: given.preconditions }),
  };
}

function ofQuery(query: URLSearchParams): DeleteOptionsBody {
  const grace = integer(query, 'gracePeriodSeconds');
  const policy = query.get('propagationPolicy');
  const orphan = query.get('orphanDependents');
  return {
    ...(query.has('dryRun') ? { dryRun: query.getAll('dryRun') } : {}),
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(orphan === null ? {} : { orphanDependents: isTrue(orphan) }),
  };
}

function validate(options: DeleteOptionsBody): FieldError[] {
  const errors: FieldError[] = [];
  const { orphanDependents, propagationPolicy: policy } = options;
  if (policy !== undefined && orphanDependents !== undefined) {
    errors.push(
      fieldInvalid(
        'propagationPolicy',
        policy,
        'orphanDependents and deletionPropagation cannot be both set',
      ),
    );
  }
  if (policy !== undefined && !isPolicy(policy)) {
    errors.push(
      fieldNotSupported('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan', 'nil']),
    );
  }
  errors.push(...dryRunErrors(options.dryRun ?? []));
  return errors;
}

function policyOf(options: DeleteOptionsBody): DeleteOptions['propagationPolicy'] {
  const policy = options.propagationPolicy;
  if (policy !== undefined && isPolicy(policy)) return policy;
  if (options.orphanDependents === undefined) return undefined;
  return options.orphanDependents ? 'Orphan' : 'Background';
}

function isPolicy(text: string): text is (typeof POLICIES)[number] {
  return POLICIES.some((policy) => policy === text);
}
