/** The gateway did not start or went away by itself: the run can say nothing about it. */
export class GatewayFailure extends Error {
  override name = 'GatewayFailure'
}
