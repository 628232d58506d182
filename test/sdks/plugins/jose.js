import * as jose from 'jose'
import { failureOf, sdkPlugin } from './checks.js'

const algorithms = ['RS256', 'RS512', 'PS256', 'PS384', 'ES256', 'ES384', 'ES512', 'EdDSA']

export default sdkPlugin(({ config }) => ({
  async hmac() {
    const secret = new TextEncoder().encode('a secret that is long enough for HS512 as well ………………')
    const outcome = {}
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      const token = await new jose.SignJWT({ a: 1 }).setProtectedHeader({ alg }).sign(secret)
      outcome[alg] = (await jose.jwtVerify(token, secret)).payload.a
    }
    return outcome
  },
  async roundTrips() {
    const outcome = {}
    for (const alg of algorithms) {
      const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true })
      const token = await new jose.SignJWT({ a: alg }).setProtectedHeader({ alg }).sign(privateKey)
      const imported = await jose.importJWK(await jose.exportJWK(publicKey), alg)
      outcome[alg] = (await jose.jwtVerify(token, imported)).payload.a
    }
    return outcome
  },
  async pem() {
    const key = await jose.importPKCS8(config.privateKey, 'RS256')
    const token = await new jose.SignJWT({ sub: 'me' })
      .setProtectedHeader({ alg: 'RS256' })
      .sign(key)
    const certificate = await jose.importX509(config.certificate, 'RS256')
    return (await jose.jwtVerify(token, certificate)).payload.sub
  },
  async certificate() {
    const key = await jose.importX509(config.certificate, 'RS256')
    return (await jose.jwtVerify(config.idToken, key)).payload.sub
  },
  async remoteKeys() {
    const keys = jose.createRemoteJWKSet(new URL(config.jwks))
    return (await jose.jwtVerify(config.idToken, keys)).payload.sub
  },
  forged: () =>
    failureOf(async () => {
      const keys = jose.createRemoteJWKSet(new URL(config.jwks))
      await jose.jwtVerify(`${config.idToken.slice(0, -6)}AAAAAA`, keys)
    }),
}))
