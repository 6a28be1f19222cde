/** The product's word on one recipient, in neutral form. Explains; never decides. */
export interface DeliveryEvent {
  kind: 'delivered' | 'deferred' | 'bounced'
  recipient: string
  /** The product's own words; from an adapter as they are, else printable. */
  reason: string
}

/** What the product's log says about the TLS of one session. Judged by TRC-02 alone. */
export interface SessionWord {
  tls: boolean
  /** As the product writes it. */
  version?: string
  suite?: string
  /** Whether it calls the peer's certificate verified. */
  verified?: boolean
  line: string
}
