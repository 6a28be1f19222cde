import { selftest } from '/work/main/support/reference/selftest.ts'
import { OMISSIONS } from '/work/main/support/reference/mutants.ts'
import { loadCatalogue } from '/work/main/support/verdicts/catalogue.ts'
import { loadFeatures } from '/work/main/support/verdicts/features.ts'
const c = loadCatalogue()
const ids = [...new Set(loadFeatures(c).map(r => r.requirement))].filter(id => id !== 'EXO-TRN-01')
const pick = process.argv.slice(2)
const r = await selftest(undefined, { mutants: [], omissions: OMISSIONS.filter(o => pick.some(p => o.name.includes(p))).map(o => ({ ...o, requirements: ids })) })
for (const m of r.mutants) console.log('\n##', m.name, m.durationMs, '\n', m.detail.replace('taken for a right refusal: ','').split('; ').filter(x=>/conformant/.test(x)).map(x=>x.slice(0,230)).join('\n '))
