/** The gateway did not start, or it ended by itself, so the run cannot judge it. */
export class GatewayFailure extends Error {
  override name = 'GatewayFailure'
}
