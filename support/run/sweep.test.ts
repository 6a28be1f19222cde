import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sweep } from './sweep.ts'

/** No system has so many processes. */
const GONE = 2 ** 30

describe('sweeping', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sweep-'))
    chmodSync(folder, 0o777)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('removes folders of processes that are gone, and no others', () => {
    for (const name of [`mail-tls-${GONE}-a`, `mail-tls-${process.pid}-b`, 'mail-tls-doctor-c', 'other'])
      mkdirSync(join(folder, name))
    assert.deepEqual(sweep(folder), [`mail-tls-${GONE}-a`])
    assert.deepEqual(
      readdirSync(folder).sort(),
      [`mail-tls-${process.pid}-b`, 'mail-tls-doctor-c', 'other'].sort(),
    )
  })

  it('leaves alone what it may not remove, and goes on', () => {
    const [foreign, own] = [`mail-tls-${GONE}-a`, `mail-tls-${GONE}-b`]
    mkdirSync(join(folder, foreign))
    writeFileSync(join(folder, foreign, 'file'), '')
    chmodSync(join(folder, foreign), 0o555)
    mkdirSync(join(folder, own))
    const root = process.getuid?.() === 0
    try {
      if (root) process.seteuid!(65_534)
      assert.deepEqual(sweep(folder), [own])
    } finally {
      if (root) process.seteuid!(0)
      chmodSync(join(folder, foreign), 0o755)
    }
  })
})
