// Loaded into the command with --import: writes its peak of resident memory, in KiB, when it ends.
import { readFileSync, writeFileSync } from 'node:fs'

process.on('exit', () => {
  let peak = process.resourceUsage().maxRSS
  try {
    // Linux counts what the parent had before exec into maxRSS; this it does not.
    peak = Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1])
  } catch {}
  writeFileSync(process.env.HOSTILE_USAGE, String(peak))
})
