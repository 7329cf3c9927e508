/** An error with an HTTP answer: every failure a client can see is made here. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.name = 'ApiError'
  }

  /** The failure envelope, the same on every route and status. */
  get body(): string {
    return JSON.stringify({ success: false, error: { code: this.code, message: this.message } })
  }
}

const retryAfter = (seconds: number) => ({ 'Retry-After': String(Math.max(1, Math.ceil(seconds))) })

export const userNotMonitored = () => new ApiError(404, 'user_not_monitored', 'User is not being monitored by Exoix')
export const noPermission = () =>
  new ApiError(401, 'no_permission', 'You do not have permission to access this resource')
export const notFound = () => new ApiError(404, 'not_found', 'Route does not exist')
export const historyOff = () => new ApiError(404, 'history_off', 'This person keeps no history')
export const invalidQuery = (message: string) => new ApiError(400, 'invalid_query', message)
export const kvNotFound = () => new ApiError(404, 'kv_not_found', 'Key does not exist')
export const kvValidationFailed = (message: string) => new ApiError(400, 'kv_validation_failed', message)
export const invalidKvValue = (message: string) => new ApiError(400, 'invalid_kv_value', message)
export const invalidIds = (message: string) => new ApiError(400, 'invalid_ids', message)
export const payloadTooLarge = (limit: string) =>
  new ApiError(413, 'payload_too_large', `body must be ${limit} or less`)
export const incompleteBody = () => new ApiError(400, 'incomplete_body', 'The body did not arrive whole')
export const upgradeFailed = () => new ApiError(400, 'upgrade_failed', 'Request failed to upgrade')
export const upstreamError = () => new ApiError(502, 'upstream_error', 'Discord did not deliver the avatar')
/** Something of Discord's that is not known yet cannot be asked for at the moment. */
export const upstreamUnavailable = (seconds = 5) =>
  new ApiError(503, 'upstream_unavailable', 'Discord does not tell at the moment', retryAfter(seconds))
export const storageUnavailable = () =>
  new ApiError(503, 'storage_unavailable', 'The change could not be stored; nothing was changed', retryAfter(5))
export const storageFull = (mib: number) =>
  new ApiError(507, 'storage_full', `request would exceed the ${mib} MiB of pairs kept here, please delete some first`)
export const starting = () =>
  new ApiError(503, 'starting', 'Members are still being loaded from Discord', retryAfter(2))
export const reconnecting = () =>
  new ApiError(503, 'reconnecting', 'The connection to Discord is being restored', retryAfter(5))
export const rateLimited = (seconds: number) =>
  new ApiError(429, 'rate_limited', 'Too many requests, please slow down', retryAfter(seconds))
export const overloaded = () =>
  new ApiError(503, 'overloaded', 'Too much waits to be read by others; ask again in a moment', retryAfter(5))
export const unreachable = () =>
  new ApiError(503, 'unreachable', 'The server that keeps keys and pairs does not answer at the moment', retryAfter(5))
export const internalError = () => new ApiError(500, 'internal_error', 'Something went wrong on our side')

/**
 * A condition only the operator can mend (wrong token, missing switch, port in use). The process says
 * the message in one sentence and exits with code 1.
 */
export class FatalError extends Error {
  override readonly name = 'FatalError'
}
