/** What the product says about the delivery to one recipient. It explains a verdict and never decides one. */
export interface DeliveryEvent {
  kind: 'delivered' | 'deferred' | 'bounced'
  recipient: string
  /** The product's own words; unchanged from an adapter, printable everywhere else. */
  reason: string
}

/** What the product's log says about the TLS of one session. Only TRC-02 judges it. */
export interface SessionWord {
  tls: boolean
  /** As the product writes it. */
  version?: string
  suite?: string
  /** Whether the log calls the certificate of the other side verified. */
  verified?: boolean
  /** The gateway is known to be the server of the session, as where a message is handed to it. */
  incoming?: true
  line: string
}
