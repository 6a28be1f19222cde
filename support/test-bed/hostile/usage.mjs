// Node loads this file into the command with --import. It writes the command's greatest resident memory, in KiB, at the end.
import { readFileSync, writeFileSync } from 'node:fs'

process.on('exit', () => {
  let peak = process.resourceUsage().maxRSS
  try {
    // On Linux maxRSS includes the memory of the parent process before exec; VmHWM does not.
    peak = Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1])
  } catch {}
  writeFileSync(process.env.HOSTILE_USAGE, String(peak))
})
