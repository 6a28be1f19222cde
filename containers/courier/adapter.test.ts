import { fileURLToPath } from 'node:url'
import { container } from '../../support/gateway/container.ts'
import { sameAsSamples, sampleFlow } from '../../support/gateway/sample-flow.ts'
import { courier } from './adapter.ts'

const samples = fileURLToPath(new URL('samples/', import.meta.url))
const place = { address: '0.0.0.0', inbound: 25, submission: 587 }
const flow = () => sampleFlow(container(courier))

describe('Courier: rendering', () => {
  it('renders the standard flow as in its samples (UPDATE_SAMPLES=1 writes them anew)', async () => {
    sameAsSamples(courier.render(await flow(), place).files, `${samples}standard-flow`)
  })
})
