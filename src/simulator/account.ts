/** The application's standing with Discord, shared by REST and gateway; tests may change it while running. */
export interface Account {
  readonly applicationId: string
  token: string
  /** Which privileged intents are switched on (docs: Resources, Application, "Application Flags"). */
  applicationFlags: number
  recommendedShards: number
  maxConcurrency: number
  /** IDENTIFYs left of `sessionStartTotal` (docs: Gateway, "Session Start Limit Object"). */
  sessionStartRemaining: number
  readonly sessionStartTotal: number
  /** The address GET /gateway/bot and READY hand out. */
  gatewayUrl: string
}
