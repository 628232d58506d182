import { Client } from 'ldapts'
import { failureOf, sdkPlugin } from './checks.js'

const ADMIN = 'cn=admin,dc=example,dc=org'

export default sdkPlugin(({ config }) => {
  const withClient = async (url, use, prepare = async () => {}) => {
    const client = new Client({ url, timeout: 10_000, connectTimeout: 10_000 })
    try {
      await prepare(client)
      await client.bind(ADMIN, 'admin-secret')
      return await use(client)
    } finally {
      await client.unbind()
    }
  }
  const names = async (client) => {
    const { searchEntries } = await client.search('dc=example,dc=org', {
      scope: 'sub',
      filter: '(objectClass=person)',
      attributes: ['cn', 'sn'],
    })
    return searchEntries.map(({ cn }) => cn)
  }
  return {
    search: () => withClient(config.plain, names),
    startTls: () => withClient(config.plain, names, (client) => client.startTLS()),
    ldaps: () => withClient(config.secure, names),
    large: () =>
      withClient(config.plain, async (client) => {
        const description = 'x'.repeat(300_000)
        await client.add('cn=Large,dc=example,dc=org', {
          objectClass: 'person',
          cn: 'Large',
          sn: 'L',
          description,
        })
        const { searchEntries } = await client.search('cn=Large,dc=example,dc=org', {
          scope: 'base',
          attributes: ['description'],
        })
        await client.del('cn=Large,dc=example,dc=org')
        return searchEntries[0].description.length
      }),
    wrongPassword: () =>
      failureOf(async () => {
        const client = new Client({ url: config.plain })
        try {
          await client.bind(ADMIN, 'wrong')
        } finally {
          await client.unbind()
        }
      }),
    refused: () => failureOf(() => withClient(config.closed, names)),
    parallel: () =>
      withClient(config.plain, async (client) => {
        const found = await Promise.all(Array.from({ length: 20 }, () => names(client)))
        return found.flat().length
      }),
  }
})
