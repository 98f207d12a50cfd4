import { semanticEqual } from '../meta/equality.ts';
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  goQuote,
  goStringMap,
  goStringSlice,
  validateNonNegative,
} from '../meta/field-error.ts';
import { requirementsOf, selects, validateLabelSelector } from '../meta/label-selector.ts';
import type { LabelSelector, PodTemplateSpec } from '../schema/kubernetes-types.ts';
import { validatePodTemplate } from './pod-validation.ts';

/** The selector and the template that Deployments and ReplicaSets share (apps validation). */
export function validateSelectorAndTemplate(spec: {
  selector?: LabelSelector;
  template?: PodTemplateSpec;
}): FieldError[] {
  const { selector, template = {} } = spec;
  const errors: FieldError[] = [];
  if (!selector) {
    errors.push(fieldRequired('spec.selector'));
  } else {
    errors.push(...validateLabelSelector(selector, 'spec.selector'));
    if (isEmpty(selector)) {
      errors.push(
        fieldInvalid(
          'spec.selector',
          { goSyntax: goLabelSelector(selector) },
          'empty selector is invalid for deployment',
        ),
      );
    }
    if (!isParsable(selector)) {
      errors.push(
        fieldInvalid(
          'spec.selector',
          { goSyntax: goLabelSelector(selector) },
          'invalid label selector',
        ),
      );
      return errors;
    }
  }
  return [...errors, ...validateTemplate(selector, template, 'spec.template')];
}

/** The selector decides which pods belong to the workload: it never changes. */
export function validateSelectorUpdate(
  next: LabelSelector | undefined,
  previous: LabelSelector | undefined,
): FieldError[] {
  if (semanticEqual(next, previous)) return [];
  const value = next === undefined ? null : { goSyntax: goLabelSelector(next) };
  return [fieldInvalid('spec.selector', value, 'field is immutable')];
}

/** The counts of a workload's status: never negative, none larger than what it is part of. */
export function validateReplicaCounts(
  status: object,
  fields: readonly string[],
  limits: readonly { field: string; atMost: string; rule: string }[],
): FieldError[] {
  const counts = status as Readonly<Record<string, unknown>>;
  const countOf = (field: string): number => {
    const value = counts[field];
    return typeof value === 'number' ? value : 0;
  };
  return [
    ...fields.flatMap((field) => validateNonNegative(`status.${field}`, countOf(field))),
    ...limits.flatMap(({ field, atMost, rule }) =>
      countOf(field) > countOf(atMost)
        ? [fieldInvalid(`status.${field}`, countOf(field), rule)]
        : [],
    ),
  ];
}

function validateTemplate(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  const labels = template.metadata?.labels;
  // No selector at all selects nothing, so it does not match either.
  if (!selector || (!isEmpty(selector) && !selects(selector, labels))) {
    errors.push(
      fieldInvalid(
        `${path}.metadata.labels`,
        { goSyntax: goStringMap(labels) },
        '`selector` does not match template `labels`',
      ),
    );
  }
  errors.push(...validatePodTemplate(template, path));
  const { restartPolicy, activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== 'Always') {
    errors.push(fieldNotSupported(`${path}.spec.restartPolicy`, restartPolicy ?? '', ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    errors.push(
      fieldForbidden(
        `${path}.spec.activeDeadlineSeconds`,
        'activeDeadlineSeconds in ReplicaSet is not Supported',
      ),
    );
  }
  return errors;
}

function isEmpty({ matchLabels, matchExpressions }: LabelSelector): boolean {
  return Object.keys(matchLabels ?? {}).length + (matchExpressions ?? []).length === 0;
}

function isParsable(selector: LabelSelector): boolean {
  try {
    requirementsOf(selector);
    return true;
  } catch {
    return false;
  }
}

/** As Go's %#v prints a metav1.LabelSelector. */
function goLabelSelector({ matchLabels, matchExpressions }: LabelSelector): string {
  const expressions =
    matchExpressions === undefined
      ? '(nil)'
      : `{${matchExpressions
          .map(
            ({ key, operator, values }) =>
              `v1.LabelSelectorRequirement{Key:${goQuote(key)}, Operator:${goQuote(operator)}, Values:${goStringSlice(values)}}`,
          )
          .join(', ')}}`;
  return `v1.LabelSelector{MatchLabels:${goStringMap(matchLabels)}, MatchExpressions:[]v1.LabelSelectorRequirement${expressions}}`;
}
