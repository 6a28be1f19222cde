import { X509Certificate } from 'node:crypto'
import type { Lab } from '../lab/lab.ts'
import { CERTIFICATE_TYPE, type HttpAnswer, LIST_TYPE, OCSP_TYPE } from '../lab/services/http-host.ts'
import type { Pki } from '../pki/pki.ts'

/** An answer of a responder is about so many certificates at most, the newest ones. */
const MOST = 200

/**
 * Where partners and clients play the service, the addresses in their certificates lead to the lab from now on, under the
 * host names of the look-alike authority, and say that each of these certificates is good. Does nothing where a gateway would
 * not find the web hosts of the lab.
 */
export async function tellStatusOfPeers({
  pki,
  lab: { web },
}: {
  pki: Pki
  lab: Pick<Lab, 'web'>
}): Promise<void> {
  const role = pki.peersPlay
  if (!role || !web) return
  // Loaded here, because few runs need it.
  const { ocspAnswer, revocationList } = await import('../pki/write-crl-and-ocsp.ts')
  const authority = pki.lookAlike(role.hierarchy)
  const urls = await Promise.all(
    authority.places.map(async place => {
      const [host = '', ...path] = place.split('/')
      return [place, await web.at(host, `/${path.join('/')}`)] as const
    }),
  )
  const urlOf = new Map(urls)
  authority.lead(place => urlOf.get(place)!)
  const { root, intermediate, addresses, rootAddresses } = authority
  const answers = (
    [
      [intermediate, addresses],
      [root, rootAddresses],
    ] as const
  ).flatMap(([issuer, { crl, issuer: certificates }]): [string, HttpAnswer][] => [
    ...crl.map((url): [string, HttpAnswer] => [
      url,
      { type: LIST_TYPE, body: revocationList({ issuer, revoked: [] }) },
    ]),
    ...certificates.map((url): [string, HttpAnswer] => [
      url,
      { type: CERTIFICATE_TYPE, body: new X509Certificate(issuer.certificate).raw },
    ]),
  ])
  await web.serve(new Map(answers))
  const serials: string[] = []
  let served = Promise.resolve()
  role.issued = serial => {
    serials.push(serial)
    served = served.then(() => {
      const body = ocspAnswer({ issuer: intermediate, serial: serials.slice(-MOST), status: 'good' })
      return web.serve(new Map(addresses.ocsp.map(url => [url, { type: OCSP_TYPE, body }])))
    })
    return served
  }
}
