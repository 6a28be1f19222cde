// Removes the types when the image is built. If Node removed them at every start, the start would take twice as long.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'

for (const name of readdirSync('/lab', { recursive: true }).filter(name => name.endsWith('.ts'))) {
  const script = stripTypeScriptTypes(readFileSync(`/lab/${name}`, 'utf8'))
  const renamed = script.replace(/^((?:import|export)\s[^']*'\.[^']+\.)ts'/gm, "$1js'")
  writeFileSync(`/lab/${name.replace(/ts$/, 'js')}`, renamed)
}
