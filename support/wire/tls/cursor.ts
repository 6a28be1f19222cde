import { printable } from '../printable.ts'

/** Reads a buffer of vectors that begin with their lengths; reading past the end throws RangeError. */
export class Cursor {
  #at = 0
  readonly #bytes: Buffer
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }
  get left(): number {
    return this.#bytes.length - this.#at
  }
  number(size: number): number {
    const value = this.#bytes.readUIntBE(this.#at, size)
    this.#at += size
    return value
  }
  bytes(length: number): Buffer {
    if (length > this.left) throw new RangeError('vector longer than its message')
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }
  vector(size: number): Cursor {
    return new Cursor(this.bytes(this.number(size)))
  }
  bytesAsText(): string {
    return printable(this.bytes(this.left), 255)
  }
  numbers(size: number): number[] {
    const all: number[] = []
    while (this.left >= size) all.push(this.number(size))
    return all
  }
}
