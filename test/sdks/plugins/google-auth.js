import { Readable } from 'node:stream'
import { JWT, OAuth2Client, UserRefreshClient } from 'google-auth-library'
import { failureOf, sdkPlugin } from './checks.js'

const SCOPE = 'https://www.googleapis.com/auth/compute'

export default sdkPlugin(({ config }) => {
  const at = (path) => `${config.endpoint}${path}`
  const user = new UserRefreshClient({
    clientId: 'client-1',
    clientSecret: 'a secret',
    refreshToken: 'refresh-1',
    endpoints: { oauth2TokenUrl: at('/token') },
  })
  const robot = new JWT({ email: 'robot@project.example', key: config.privateKey, scopes: [SCOPE] })
  // Its token endpoint is fixed; the test has one of its own.
  robot.transporter.interceptors.request.add({
    resolved: async (request) => ({ ...request, url: new URL(at('/token')) }),
  })
  return {
    async list() {
      const { data, status } = await user.request({
        url: at('/compute/v1/projects/p/zones/z/instances'),
        params: { maxResults: 2, filter: 'name eq "a b"' },
      })
      return { status, names: data.items.map(({ name }) => name) }
    },
    robot: async () => (await robot.authorize()).access_token,
    missing: () => failureOf(() => user.request({ url: at('/none'), retry: false })),
    async download() {
      const { data } = await user.request({ url: at('/large'), responseType: 'stream' })
      let bytes = 0
      for await (const chunk of data) bytes += chunk.length
      return bytes
    },
    async upload() {
      const pieces = Array.from({ length: 50 }, () => Buffer.alloc(10_000, 'a'))
      const request = {
        url: at('/upload'),
        method: 'POST',
        data: Readable.from(pieces, { objectMode: false }),
      }
      const { data } = await user.request(request)
      return data.bytes
    },
    async verify() {
      const client = new OAuth2Client({ clientId: 'client-1' })
      const certificates = { 'key-1': config.certificate }
      const ticket = await client.verifySignedJwtWithCertsAsync(
        config.idToken,
        certificates,
        'client-1',
        ['https://issuer.example'],
      )
      return ticket.getPayload().sub
    },
  }
})
