import { Engine } from '/work/main/support/containers/engine.ts'
const t0 = performance.now()
const t = (what: string) => console.log(Math.round(performance.now() - t0), what)
const engine = await Engine.connect()
t('connected ' + engine.version + engine.architecture + engine.host)
const image = await engine.image({ name: 'try', files: [{ path: 'Dockerfile', content: 'FROM debian:trixie-slim\nRUN echo hi\nCMD ["sleep","1000"]\n' }] }, console.log)
t(image)
try { await engine.image({ name: 'bad', files: [{ path: 'Dockerfile', content: 'FROM debian:trixie-slim\nRUN echo hi; echo oh no >&2; exit 3\n' }] }, console.log) } catch (e) { console.log(String(e)) }
t('bad')
const network = await engine.network()
t('network ' + network.subnet.cidr)
try {
  const c = await network.start({ name: 'try', image, command: ['bash','-c','cat /x/y; ls -la /x; cat /etc/resolv.conf; echo ready; sleep 1000'], ports: [25], files: [{path:'/x/y', content:'hello\n', mode: 0o600, uid: 5}], ready: /^ready/, address: network.subnet.fixed(5), onLine: console.log })
  t('started ' + c.address + JSON.stringify(c.endpoint(25)))
  console.log(await c.exec(['ip','a']).catch(String), await c.exec(['sh','-c','id; echo e >&2; exit 4']))
  t('exec')
  await c.copy([{path:'/x/z', content:'z'}]); t('copied')
  await c.restart({grace: 0}); t('restarted ' + JSON.stringify(c.endpoint(25)))
  await c.exec(['sh','-c','kill 1; echo killed']); 
  await new Promise(r=>setTimeout(r,300))
  console.log('end', c.end?.message)
  try { await network.start({ name: 'dies', image, command: ['sh','-c','echo I cannot; exit 7'], ready: /xx/, ports:[25] }) } catch (e) { console.log(String(e)) }
  t('dies')
  try { await network.start({ name: 'silent', image, command: ['sh','-c','echo I wait; sleep 100'], ready: /xx/, ports:[25], limit: 1500 }) } catch (e) { console.log(String(e)) }
  t('silent')
} finally { await network.stop() }
t('stopped')
