// Takes the types off once, when the image is built: at every start that would be the larger half of the time.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'

for (const name of readdirSync('/lab', { recursive: true }).filter(name => name.endsWith('.ts'))) {
  const script = stripTypeScriptTypes(readFileSync(`/lab/${name}`, 'utf8'))
  const renamed = script.replace(/^((?:import|export)\s[^']*'\.[^']+\.)ts'/gm, "$1js'")
  writeFileSync(`/lab/${name.replace(/ts$/, 'js')}`, renamed)
}
