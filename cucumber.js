// For running Cucumber itself, in an editor for example: `npx cucumber-js -p haraka features/outbound`.
// `mail-tls check` is what judges: it adds selection, reports and the exit status of the contract.
const common = { import: ['steps/!(*.test).ts'], publishQuiet: true }

export default { ...common, worldParameters: { gateway: 'haraka' } }

export const haraka = { ...common, worldParameters: { gateway: 'haraka' } }
export const postfix = { ...common, worldParameters: { gateway: 'postfix' } }
export const exim = { ...common, worldParameters: { gateway: 'exim' } }
export const opensmtpd = { ...common, worldParameters: { gateway: 'opensmtpd' } }
export const mox = { ...common, worldParameters: { gateway: 'mox' } }
export const courier = { ...common, worldParameters: { gateway: 'courier' } }
export const sendmail = { ...common, worldParameters: { gateway: 'sendmail' } }
export const chasquid = { ...common, worldParameters: { gateway: 'chasquid' } }
