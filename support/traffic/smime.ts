import { randomBytes } from 'node:crypto'
import forge from 'node-forge'
import { bodyOf, type Message } from '../evidence/mail.ts'
import { compose, newToken } from './message.ts'

/** The secret text of an encrypted message, and how its recipient decrypts it. */
export interface Secret {
  text: string
  /** Decrypts a whole message as it arrived; undefined when that is not possible. */
  decrypt(content: string): string | undefined
}

interface Reader {
  certificate: forge.pki.Certificate
  privateKey: forge.pki.rsa.PrivateKey
}

/** Who can read the messages; one for all of them, because making a key takes long. */
let reader: Reader | undefined

function newReader(): Reader {
  const { publicKey, privateKey } = forge.pki.rsa.generateKeyPair({ bits: 2048 })
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = publicKey
  certificate.serialNumber = `01${randomBytes(8).toString('hex')}`
  certificate.validity.notAfter = new Date(Date.now() + 24 * 60 * 60 * 1000)
  const subject = [{ name: 'commonName', value: 'the reader of encrypted messages' }]
  certificate.setSubject(subject)
  certificate.setIssuer(subject)
  certificate.sign(privateKey, forge.md.sha256.create())
  return { certificate, privateKey }
}

/** A message whose text only its recipient can read: S/MIME enveloped data, RFC 8551 s3.3. */
export function encrypted({ from, to }: { from: string; to: string[] }): {
  message: Message
  secret: Secret
} {
  reader ??= newReader()
  const { certificate, privateKey } = reader
  const text = `secret-${randomBytes(8).toString('hex')}`
  const envelope = forge.pkcs7.createEnvelopedData()
  envelope.addRecipient(certificate)
  envelope.content = forge.util.createBuffer(`Content-Type: text/plain\r\n\r\n${text}\r\n`)
  envelope.encrypt()
  const base64 = forge.util.encode64(forge.asn1.toDer(envelope.toAsn1()).getBytes(), 76)
  const token = newToken()
  const headers = [
    `X-Token: ${token}`,
    'MIME-Version: 1.0',
    'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m',
    'Content-Transfer-Encoding: base64',
  ]
  return {
    message: compose({ from, to, body: { headers, text: base64, token } }),
    secret: {
      text,
      decrypt(content) {
        try {
          const der = forge.util.decode64(bodyOf(content).replace(/\s/g, ''))
          const received = forge.pkcs7.messageFromAsn1(
            forge.asn1.fromDer(der),
          ) as forge.pkcs7.PkcsEnvelopedData
          received.decrypt(received.recipients[0]!, privateKey)
          return received.content?.toString()
        } catch {
          return undefined
        }
      },
    },
  }
}
