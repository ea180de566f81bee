import { METHODS } from 'node:http'
import { type Answer, type Asked, fieldOf, type Outcome } from './wire.ts'

/** Two answers to one request that are not the same. */
export interface Difference {
  readonly asked: Asked
  readonly nova: Outcome
  readonly ours: Outcome
}

/** Where we answer otherwise than Nova on purpose. The one list: docs/compatibility.md prints it. */
export interface Deviation {
  readonly what: string
  readonly nova: string
  readonly ours: string
  readonly why: string
  /** Whether this is it. Ours has to be the answer named here. So has Nova's crash; what else Nova answers to a request
   *  that our HTTP server refuses is not looked at. */
  readonly explains: (difference: Difference) => boolean
}

export const DEVIATIONS: readonly Deviation[] = [
  {
    what: 'A name below a value: `instance-id/x`, `user-data/0`, `security-groups/default`; `openstack/VERSION/content`',
    nova: '500 without a body (an uncaught exception)',
    ours: '404, with the page of every 404',
    why: 'There is nothing at that path. Nothing can depend on the crash.',
    explains: ({ asked, nova, ours }) =>
      isCrash(nova) && asked.method !== 'OPTIONS' && hasStatus(ours, '404 Not Found'),
  },
  {
    what: 'OPTIONS on a path where Nova crashes',
    nova: '500 without a body',
    ours: '200, empty, without Content-Type',
    why: 'So Nova answers every OPTIONS that fails otherwise.',
    explains: ({ asked, nova, ours }) => asked.method === 'OPTIONS' && isCrash(nova) && isEmptySuccess(ours),
  },
  {
    what: 'A target that is not UTF-8 after decoding, or is no path (`openstack`, `*`)',
    nova: '500 without a body',
    ours: '400, before the headers are looked at',
    why: 'It is the client’s mistake.',
    explains: ({ asked, nova, ours }) => !isPasswordPost(asked) && isCrash(nova) && hasStatus(ours, '400 Bad Request'),
  },
  {
    what: 'A password posted without Content-Length, or that is not UTF-8',
    nova: '500 without a body',
    ours: '400 with the reason',
    why: 'It is the client’s mistake.',
    explains: ({ asked, nova, ours }) => isPasswordPost(asked) && isCrash(nova) && hasStatus(ours, '400 Bad Request'),
  },
  {
    what: 'A signature that is not ASCII',
    nova: '500 without a body',
    ours: '403, like any wrong signature',
    why: 'A wrong signature is a wrong signature.',
    explains: ({ asked, nova, ours }) =>
      asked.fields.some(([, value]) => value === 'é') && isCrash(nova) && hasStatus(ours, '403 Forbidden'),
  },
  {
    what: 'An absolute-form target whose scheme is not lower case (`HTTP://any.host/latest`)',
    nova: '500 without a body',
    ours: 'answered like `http://any.host/latest`',
    why: 'The case of a scheme does not count (RFC 3986).',
    explains: ({ asked, nova }) => /^https?:/i.test(asked.target) && !/^https?:/.test(asked.target) && isCrash(nova),
  },
  {
    what: 'A method that HTTP does not know (`FOO`, `get`)',
    nova: 'answered like GET',
    ours: '400 of the HTTP server, and the connection is closed',
    why: 'Node’s parser refuses it before any code of ours. No client sends one.',
    explains: ({ asked, ours }) => !METHODS.includes(asked.method) && isRefusal(ours),
  },
  {
    what: 'A target that Node’s parser refuses: with a byte over 0x7F as it is, with an encoded slash where one has to stand (`%2Flatest`, `http:%2F/any.host/latest`), without anything',
    nova: 'decoded first, then answered like `/latest`; nothing: the connection is closed',
    ours: '400 of the HTTP server, and the connection is closed',
    why: 'It is refused before any code of ours, as RFC 9112 has it. No client sends one.',
    explains: ({ asked, ours }) => !/^(\/|https?:\/\/)[ -~]*$/i.test(asked.target) && isRefusal(ours),
  },
  {
    what: 'An Expect header other than `100-continue`',
    nova: 'ignored',
    ours: '417 Expectation Failed',
    why: 'Node’s HTTP server answers so, as RFC 9110 allows. No client sends one.',
    explains: ({ asked, ours }) =>
      asked.fields.some(([name]) => name === 'Expect') && hasStatus(ours, '417 Expectation Failed'),
  },
  {
    what: 'The form of 414, for a request line of 8192 bytes or more',
    nova: '`HTTP/1.0 414 Request URI Too Long`, without Date',
    ours: '`HTTP/1.1 414 URI Too Long`, with Date',
    why: 'Node’s server writes it. Both have no body and close.',
    explains: ({ nova, ours }) =>
      hasStatus(nova, '414 Request URI Too Long') && hasStatus(ours, '414 URI Too Long') && ours.body.length === 0,
  },
]

function isPasswordPost({ method, target }: Asked): boolean {
  return method === 'POST' && target.endsWith('/password')
}

/** Nova's application ended with an exception, and eventlet answered for it. */
function isCrash(outcome: Outcome): boolean {
  return (
    hasStatus(outcome, '500 Internal Server Error') &&
    outcome.body.length === 0 &&
    fieldOf(outcome, 'content-type') === 'text/plain'
  )
}

function hasStatus(outcome: Outcome, status: string): outcome is Answer {
  return outcome !== 'closed' && outcome.status === status
}

function isEmptySuccess(outcome: Outcome): boolean {
  return hasStatus(outcome, '200 OK') && outcome.body.length === 0 && fieldOf(outcome, 'content-type') === undefined
}

/** What our server says of a request that Node's parser did not let through. */
function isRefusal(outcome: Outcome): boolean {
  return (
    hasStatus(outcome, '400 Bad Request') &&
    outcome.body.toString() === '400 Bad Request' &&
    fieldOf(outcome, 'connection') === 'close'
  )
}
