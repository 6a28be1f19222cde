import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { inPieces, writePieces } from './write-in-pieces.ts'

describe('writing in pieces', () => {
  const bytes = Buffer.from('a'.repeat(3_000))
  const slowly = (ms: number) => {
    const written: Buffer[] = []
    const write = async (piece: Buffer) => {
      written.push(piece)
      await pause(ms)
      return true
    }
    return { written, write }
  }

  it('writes one piece at a time', async () => {
    const { written, write } = slowly(0)
    await writePieces(inPieces(100)(bytes), write)
    assert.deepEqual(
      written.map(({ length }) => length),
      Array(30).fill(100),
    )
  })

  it('keeps nobody waiting for thousands of pieces: what is left after half a second leaves in one', async () => {
    const { written, write } = slowly(5)
    await writePieces(inPieces(1)(bytes), write)
    assert.deepEqual(Buffer.concat(written), bytes)
    assert.ok(written.length > 1 && written.length <= 102, `${written.length}`)
    assert.ok(written.at(-1)!.length > 1)
  })

  it('writes a few pieces apart, however long each takes', async () => {
    const { written, write } = slowly(400)
    await writePieces(inPieces(1_500)(bytes), write)
    assert.equal(written.length, 2)
  })

  it('ends where the connection is over', async () => {
    const written: Buffer[] = []
    await writePieces(inPieces(1)(bytes), async piece => written.push(piece) < 7)
    assert.equal(written.length, 7)
  })
})
