import { ContainerFailure } from '../../engine/failure.ts'
import type { SeenRequest } from '../../evidence/web.ts'
import { addressOf, type Endpoint } from '../../wire/smtp/smtp.ts'
import type { FeedLine, PartnerSpec, WebAnswer } from './feed.ts'

/** Longest wait for an answer, in ms. */
const ANSWER = 10_000
/** The lab is lost after so long without a line, in ms. It sends one every two seconds. */
const SILENCE = 20_000
/** Longest line, in characters: the largest message that a partner takes, escaped in JSON. */
const MAX_LINE = 200 * 1024 * 1024

/** Asks the lab in a container (`lab-server.ts`) for partners, and reads what it reports. */
export class LabClient {
  readonly #url: string
  readonly #headers: Record<string, string>
  readonly #closed = new AbortController()
  readonly #onLine: (line: FeedLine) => void
  readonly #onLost: (why: ContainerFailure) => void
  #lost: ContainerFailure | undefined
  #silence: NodeJS.Timeout | undefined

  private constructor(
    endpoint: Endpoint,
    token: string,
    told: { onLine: (line: FeedLine) => void; onLost: (why: ContainerFailure) => void },
  ) {
    this.#url = `http://${addressOf(endpoint)}`
    this.#headers = { authorization: `Bearer ${token}` }
    this.#onLine = told.onLine
    this.#onLost = told.onLost
  }

  /** Reads what the lab reports. `onLost` is called once, when the lab is lost before `close`. */
  static async open(
    endpoint: Endpoint,
    token: string,
    told: { onLine: (line: FeedLine) => void; onLost: (why: ContainerFailure) => void },
  ): Promise<LabClient> {
    const client = new LabClient(endpoint, token, told)
    const response = await client.#request('GET', '/events', undefined, client.#closed.signal)
    client.#heard()
    void client.#read(response).catch(error => client.lose(error))
    return client
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder()
    let parts: string[] = []
    let size = 0
    for await (const chunk of response.body!) {
      this.#heard()
      const [first, ...others] = decoder.decode(chunk, { stream: true }).split('\n')
      parts.push(first!)
      size += first!.length
      if (size > MAX_LINE) throw new Error(`a line of more than ${MAX_LINE} characters`)
      for (const next of others) {
        this.#onLine(JSON.parse(parts.join('')) as FeedLine)
        parts = [next]
        size = next.length
      }
    }
    throw new Error('it ended the connection')
  }

  #heard(): void {
    if (this.#silence) this.#silence.refresh()
    else
      this.#silence = setTimeout(
        () => this.lose(new Error(`it said nothing for ${SILENCE / 1000} s`)),
        SILENCE,
      )
  }

  /** The lab is lost: it reports nothing more. */
  lose(error: Error): void {
    if (this.#lost || this.#closed.signal.aborted) return
    this.#lost =
      error instanceof ContainerFailure ? error : new ContainerFailure(`the lab is lost: ${error.message}`)
    this.close()
    this.#onLost(this.#lost)
  }

  close(): void {
    clearTimeout(this.#silence)
    this.#closed.abort()
  }

  async play(id: string, spec: PartnerSpec): Promise<void> {
    await this.#quick('PUT', `/partners/${id}`, JSON.stringify(spec))
  }

  async mark(id: string): Promise<void> {
    await this.#quick('PUT', `/marks/${id}`)
  }

  async serve(answers: readonly WebAnswer[]): Promise<void> {
    await this.#quick('PUT', '/web', JSON.stringify(answers))
  }

  async requests(): Promise<SeenRequest[]> {
    return JSON.parse(Buffer.from(await this.#quick('GET', '/web')).toString()) as SeenRequest[]
  }

  async dns(message: Buffer): Promise<Buffer> {
    return Buffer.from(await this.#quick('POST', '/dns', message))
  }

  async #quick(method: string, path: string, body?: string | Buffer): Promise<ArrayBuffer> {
    const response = await this.#request(method, path, body, AbortSignal.timeout(ANSWER))
    return response.arrayBuffer()
  }

  async #request(
    method: string,
    path: string,
    body: string | Buffer | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    if (this.#lost) throw this.#lost
    let response: Response
    try {
      response = await fetch(this.#url + path, {
        method,
        headers: this.#headers,
        signal,
        ...(body === undefined ? {} : { body: body as NonNullable<RequestInit['body']> }),
      })
    } catch (error) {
      const { cause, message } = error as Error
      throw (
        this.#lost ?? new ContainerFailure(`the lab does not answer: ${(cause as Error)?.message ?? message}`)
      )
    }
    if (response.ok) return response
    const why = (await response.text()).slice(0, 500)
    throw new ContainerFailure(`the lab refuses ${method} ${path}: ${response.status} ${why}`)
  }
}
