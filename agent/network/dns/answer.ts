import type { Query, Question, Response } from './packet.ts';
import { RCODE } from './packet.ts';
import type { ZoneRecord } from './records.ts';
import type { Zone } from './zone.ts';

/** What to do with a query. */
export type Answer =
  | { kind: 'respond'; response: ZoneResponse }
  /** Somebody else knows the name; `answers` come before what they say (the aliases that lead there). */
  | { kind: 'forward'; question: Question; answers: ZoneRecord[] };

/** A response with records of the cluster alone. */
type ZoneResponse = Response & { answers?: readonly ZoneRecord[] };

/** Other names of other names, one after another, at most. */
const MAX_ALIASES = 8;

/** Decides on a query, from the cluster's names alone. `random` in [0, 1) orders the addresses of an answer. Never throws. */
export function answerQuery(query: Query, zone: Zone, random: () => number): Answer {
  if (query.opcode !== 0) return refuse(RCODE.notImplemented);
  const question = query.questions[0];
  // One question a query (RFC 9619).
  if (question === undefined || query.questions.length > 1) return refuse(RCODE.formatError);
  if (query.edns !== undefined && query.edns.version !== 0) return refuse(RCODE.badVersion);
  if (question.class !== 'IN') return refuse(RCODE.refused);
  if (TRANSFERS.has(question.type)) return refuse(RCODE.refused);
  return answerQuestion(question, zone, random);
}

/** Zone transfers, and types that are no questions. */
const TRANSFERS: ReadonlySet<string> = new Set(['AXFR', 'IXFR', 'OPT', 'TSIG', 'TKEY']);

function answerQuestion(asked: Question, zone: Zone, random: () => number): Answer {
  const answers: ZoneRecord[] = [];
  const seen = new Set<string>();
  for (let question = asked; ; ) {
    if (seen.has(question.name) || seen.size > MAX_ALIASES) return refuse(RCODE.serverFailure);
    seen.add(question.name);
    const found = zone.lookup(question.name, question.type);
    switch (found.kind) {
      case 'foreign':
        return { kind: 'forward', question, answers };
      case 'alias':
        answers.push(found.record);
        question = { ...question, name: found.target };
        break;
      case 'records':
        answers.push(...shuffled(found.records, random));
        return respond({ rcode: RCODE.noError, answers, additionals: found.additionals });
      case 'no-data':
        return respond({ rcode: RCODE.noError, answers, authorities: [found.authority] });
      case 'no-name':
        return respond({ rcode: RCODE.noName, answers, authorities: [found.authority] });
    }
  }
}

function respond(response: Omit<ZoneResponse, 'authoritative'>): Answer {
  return { kind: 'respond', response: { ...response, authoritative: true } };
}

function refuse(rcode: number): Answer {
  return { kind: 'respond', response: { rcode, authoritative: false } };
}

/** Clients that take the first address are spread over all of them. */
function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const result = [...list];
  for (let index = result.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    const one = result[index] as T;
    result[index] = result[other] as T;
    result[other] = one;
  }
  return result;
}
