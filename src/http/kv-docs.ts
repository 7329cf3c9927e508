import {
  invalidKvValue,
  kvNotFound,
  kvValidationFailed,
  noPermission,
  payloadTooLarge,
  starting,
  storageUnavailable,
  userNotMonitored,
} from '../domain/errors.ts'
import { operation } from './operation.ts'
import { IF_NONE_MATCH, OWNER_ID, PAIR_KEY, PAIRS, successOf, TEXT } from './schema.ts'

const LOCATION = { location: 'Berlin' }
const STORED = [{ status: 204, description: 'Done' }]
const UNCHANGED = { status: 304, description: 'Nothing has changed since the given ETag' }
const READ_FAILURES = [userNotMonitored(), noPermission(), starting()]
const WRITE_FAILURES = [noPermission(), storageUnavailable()]

/** How the API document shows the routes of key-value pairs. */
export const KV_OPERATIONS = {
  list: operation({
    tag: 'KV',
    summary: 'All pairs of a person',
    description: 'Public, like the presence they are part of. Only `@me` needs a key.',
    parameters: [OWNER_ID, IF_NONE_MATCH],
    answers: [
      {
        description: 'The pairs',
        content: { 'application/json': successOf(PAIRS) },
        example: { success: true, data: LOCATION },
      },
      UNCHANGED,
    ],
    failures: READ_FAILURES,
  }),
  read: operation({
    tag: 'KV',
    summary: 'One value',
    parameters: [OWNER_ID, PAIR_KEY, IF_NONE_MATCH],
    answers: [
      { description: 'The value as it was stored', content: { 'text/plain': TEXT }, example: 'Berlin' },
      UNCHANGED,
    ],
    failures: [...READ_FAILURES, kvNotFound()],
  }),
  put: operation({
    tag: 'KV',
    summary: 'Sets one pair',
    description: 'The body is the value, kept verbatim whatever its content type: at most 30,000 characters of UTF-8.',
    parameters: [OWNER_ID, PAIR_KEY],
    body: { description: 'The value', content: { 'text/plain': TEXT } },
    answers: STORED,
    failures: [
      ...WRITE_FAILURES,
      kvValidationFailed('value must be 30000 characters or less'),
      invalidKvValue('body must be UTF-8 text'),
      payloadTooLarge('128 KiB'),
    ],
    key: true,
  }),
  merge: operation({
    tag: 'KV',
    summary: 'Sets many pairs, all or nothing',
    description: 'Pairs that are not named stay as they are.',
    parameters: [OWNER_ID],
    body: { description: 'The pairs', content: { 'application/json': PAIRS } },
    answers: STORED,
    failures: [
      ...WRITE_FAILURES,
      kvValidationFailed('request would exceed key limit (512), please delete keys first'),
      invalidKvValue('body must be an object'),
      payloadTooLarge('8 MiB'),
    ],
    key: true,
  }),
  remove: operation({
    tag: 'KV',
    summary: 'Removes one pair',
    description: 'Also when it was not there.',
    parameters: [OWNER_ID, PAIR_KEY],
    answers: STORED,
    failures: WRITE_FAILURES,
    key: true,
  }),
  clear: operation({
    tag: 'KV',
    summary: 'Removes all pairs',
    parameters: [OWNER_ID],
    answers: STORED,
    failures: WRITE_FAILURES,
    key: true,
  }),
}
