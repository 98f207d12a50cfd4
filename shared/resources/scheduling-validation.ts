import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldInvalidEach,
  fieldNotSupported,
  fieldRequired,
} from '../meta/field-error.ts';
import { validateLabelSelector } from '../meta/label-selector.ts';
import { checkLabelValue, nameIsDnsLabel, nameIsDnsSubdomain } from '../meta/names.ts';
import { validateLabelName } from '../meta/object-meta.ts';
import type {
  Affinity,
  NodeAffinity,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  Taint,
  Toleration,
  TopologySpreadConstraint,
} from '../schema/kubernetes-types.ts';

/** core validation, ValidateTolerations. */
export function validateTolerations(
  tolerations: readonly Toleration[] | undefined,
  path: string,
): FieldError[] {
  return (tolerations ?? []).flatMap((toleration, index) =>
    validateToleration(toleration, `${path}[${index}]`),
  );
}

/** core validation, validateNodeTaints. */
export function validateTaints(taints: readonly Taint[] | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, taint] of (taints ?? []).entries()) {
    const at = `${path}[${index}]`;
    const { key, value = '', effect } = taint;
    errors.push(...validateLabelName(key, `${at}.key`));
    const wrong = checkLabelValue(value);
    if (wrong.length > 0) errors.push(fieldInvalid(`${at}.value`, value, wrong.join(';')));
    if (!effect) errors.push(fieldRequired(`${at}.effect`));
    else errors.push(...validateEffect(effect, `${at}.effect`));
    if (seen.has(`${effect}/${key}`)) {
      errors.push(
        fieldDuplicate(
          at,
          {
            goSyntax: `core.Taint{Key:"${key}", Value:"${value}", Effect:"${effect}", TimeAdded:<nil>}`,
          },
          'taints must be unique by key and effect pair',
        ),
      );
    }
    seen.add(`${effect}/${key}`);
  }
  return errors;
}

/** core validation, validateAffinity. */
export function validateAffinity(affinity: Affinity | undefined, path: string): FieldError[] {
  if (affinity === undefined) return [];
  return [
    ...validateNodeAffinity(affinity.nodeAffinity, `${path}.nodeAffinity`),
    ...validatePodAffinity(affinity.podAffinity, `${path}.podAffinity`),
    ...validatePodAffinity(affinity.podAntiAffinity, `${path}.podAntiAffinity`),
  ];
}

/** core validation, validateTopologySpreadConstraints. */
export function validateSpread(
  constraints: readonly TopologySpreadConstraint[] | undefined,
  path: string,
): FieldError[] {
  const list = constraints ?? [];
  return list.flatMap((constraint, index) => {
    const at = `${path}[${index}]`;
    const errors = validateConstraint(constraint, at);
    const { topologyKey, whenUnsatisfiable } = constraint;
    const isRepeated = list
      .slice(index + 1)
      .some(
        (other) =>
          other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable,
      );
    if (isRepeated) {
      errors.push(
        fieldDuplicate(
          `${at}.{topologyKey, whenUnsatisfiable}`,
          `{${topologyKey}, ${whenUnsatisfiable}}`,
        ),
      );
    }
    return errors;
  });
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution';
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution';

function validateEffect(effect: string, path: string): FieldError[] {
  return EFFECTS.includes(effect) ? [] : [fieldNotSupported(path, effect, EFFECTS)];
}

function validateToleration(toleration: Toleration, path: string): FieldError[] {
  const { key, operator, value = '', effect = '', tolerationSeconds } = toleration;
  const errors: FieldError[] = key ? validateLabelName(key, `${path}.key`) : [];
  const at = `${path}.operator`;
  if (!key && operator !== 'Exists') {
    errors.push(
      fieldInvalid(
        at,
        operator ?? '',
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    );
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    errors.push(
      fieldInvalid(
        `${path}.effect`,
        effect,
        "effect must be 'NoExecute' when `tolerationSeconds` is set",
      ),
    );
  }
  if (!operator || operator === 'Equal') {
    const wrong = checkLabelValue(value);
    if (wrong.length > 0) errors.push(fieldInvalid(at, value, wrong.join(';')));
  } else if (operator === 'Exists') {
    if (value !== '') {
      errors.push(fieldInvalid(at, value, "value must be empty when `operator` is 'Exists'"));
    }
  } else {
    errors.push(fieldNotSupported(at, operator, ['Equal', 'Exists']));
  }
  if (effect !== '') errors.push(...validateEffect(effect, `${path}.effect`));
  return errors;
}

function validateNodeAffinity(affinity: NodeAffinity | undefined, path: string): FieldError[] {
  if (affinity === undefined) return [];
  const errors: FieldError[] = [];
  const required = affinity[REQUIRED];
  if (required) {
    const at = `${path}.${REQUIRED}.nodeSelectorTerms`;
    if (!required.nodeSelectorTerms?.length) {
      errors.push(fieldRequired(at, 'must have at least one node selector term'));
    }
    for (const [index, term] of (required.nodeSelectorTerms ?? []).entries()) {
      errors.push(...validateNodeTerm(term, `${at}[${index}]`, true));
    }
  }
  for (const [index, { weight, preference }] of (affinity[PREFERRED] ?? []).entries()) {
    const at = `${path}.${PREFERRED}[${index}]`;
    errors.push(...validateWeight(weight, `${at}.weight`));
    errors.push(...validateNodeTerm(preference, `${at}.preference`, false));
  }
  return errors;
}

function validateWeight(weight: number, path: string): FieldError[] {
  return weight > 0 && weight <= 100
    ? []
    : [fieldInvalid(path, weight, 'must be in the range 1-100')];
}

function validateNodeTerm(
  term: NodeSelectorTerm,
  path: string,
  checksValues: boolean,
): FieldError[] {
  return [
    ...(term.matchExpressions ?? []).flatMap((expression, index) =>
      validateNodeExpression(expression, `${path}.matchExpressions[${index}]`, checksValues),
    ),
    ...(term.matchFields ?? []).flatMap((expression, index) =>
      validateNodeField(expression, `${path}.matchFields[${index}]`),
    ),
  ];
}

function validateNodeExpression(
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: string,
  checksValues: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  const at = `${path}.values`;
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) {
        errors.push(fieldRequired(at, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        errors.push(
          fieldForbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
        );
      }
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        errors.push(
          fieldRequired(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"),
        );
      }
      break;
    default:
      errors.push(fieldInvalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  errors.push(...validateLabelName(key, `${path}.key`));
  if (checksValues) {
    for (const [index, value] of values.entries()) {
      errors.push(...fieldInvalidEach(`${at}[${index}]`, value, checkLabelValue(value)));
    }
  }
  return errors;
}

function validateNodeField(
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(fieldInvalid(`${path}.operator`, operator, 'not a valid selector operator'));
  } else if (values.length !== 1) {
    errors.push(
      fieldRequired(
        `${path}.values`,
        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
      ),
    );
  }
  if (key !== 'metadata.name') {
    errors.push(fieldInvalid(`${path}.key`, key, 'not a valid field selector key'));
  } else {
    for (const [index, value] of values.entries()) {
      errors.push(
        ...fieldInvalidEach(`${path}.values[${index}]`, value, nameIsDnsSubdomain(value)),
      );
    }
  }
  return errors;
}

function validatePodAffinity(affinity: PodAffinity | undefined, path: string): FieldError[] {
  if (affinity === undefined) return [];
  return [
    ...(affinity[REQUIRED] ?? []).flatMap((term, index) =>
      validatePodTerm(term, `${path}.${REQUIRED}[${index}]`),
    ),
    ...(affinity[PREFERRED] ?? []).flatMap(({ weight, podAffinityTerm }, index) => {
      const at = `${path}.${PREFERRED}[${index}]`;
      return [
        ...validateWeight(weight, `${at}.weight`),
        ...validatePodTerm(podAffinityTerm, `${at}.podAffinityTerm`),
      ];
    }),
  ];
}

function validatePodTerm(term: PodAffinityTerm, path: string): FieldError[] {
  const { labelSelector, namespaceSelector, topologyKey } = term;
  return [
    ...(labelSelector ? validateLabelSelector(labelSelector, `${path}.labelSelector`) : []),
    ...(namespaceSelector
      ? validateLabelSelector(namespaceSelector, `${path}.namespaceSelector`)
      : []),
    ...(term.namespaces ?? []).flatMap((namespace) =>
      fieldInvalidEach(`${path}.namespace`, namespace, nameIsDnsLabel(namespace)),
    ),
    ...(topologyKey ? [] : [fieldRequired(`${path}.topologyKey`, 'can not be empty')]),
    ...validateLabelName(topologyKey ?? '', `${path}.topologyKey`),
  ];
}

function validateConstraint(constraint: TopologySpreadConstraint, path: string): FieldError[] {
  const { maxSkew, topologyKey, whenUnsatisfiable, minDomains, labelSelector } = constraint;
  const errors: FieldError[] = [];
  if (!(maxSkew > 0)) {
    errors.push(fieldInvalid(`${path}.maxSkew`, maxSkew ?? 0, 'must be greater than zero'));
  }
  if (!topologyKey) errors.push(fieldRequired(`${path}.topologyKey`, 'can not be empty'));
  const actions = ['DoNotSchedule', 'ScheduleAnyway'];
  if (!actions.includes(whenUnsatisfiable)) {
    errors.push(fieldNotSupported(`${path}.whenUnsatisfiable`, whenUnsatisfiable ?? '', actions));
  }
  if (minDomains !== undefined) {
    const at = `${path}.minDomains`;
    if (minDomains <= 0) errors.push(fieldInvalid(at, minDomains, 'must be greater than zero'));
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      errors.push(
        fieldInvalid(
          at,
          minDomains,
          `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
        ),
      );
    }
  }
  for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
    const policy = constraint[field];
    if (policy !== undefined && policy !== 'Honor' && policy !== 'Ignore') {
      errors.push(fieldNotSupported(`${path}.${field}`, policy, ['Honor', 'Ignore']));
    }
  }
  if (labelSelector) errors.push(...validateLabelSelector(labelSelector, `${path}.labelSelector`));
  return errors;
}
