import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { after, before, test } from 'node:test'
import { type MarketSite, marketConfig, startMarketSite } from './support/market-site.ts'
import { vendorCloud, vendorVersion } from './support/vendor-cloud.ts'
import { startVerdaccio, type Verdaccio } from './support/verdaccio.ts'

let registry: Verdaccio
let between: Server
let site: MarketSite
/** What stands between the site and its registry does with a request. */
let fault: RequestListener | undefined

before(async () => {
  registry = await startVerdaccio()
  await registry.publish(vendorVersion({ version: '1.0.0' }))
  between = createServer((request, response) => {
    if (fault) fault(request, response)
    else
      void pass(request.url ?? '/').then(
        (answer) => response.end(answer),
        () => response.destroy(),
      )
  })
  between.listen(0, '127.0.0.1')
  await once(between, 'listening')
  const { port } = between.address() as { port: number }
  site = await startMarketSite({ config: marketConfig({ registry: `http://127.0.0.1:${port}/` }) })
  await site.market.install('1.0.0')
  await registry.publish(vendorVersion({ version: '1.1.0' }))
})
after(async () => {
  await site?.stop()
  between?.closeAllConnections()
  between?.close()
  await registry?.stop()
})

const faults: Record<string, RequestListener> = {
  'answers 500': (_request, response) => response.writeHead(500).end(),
  'closes at once': (request) => request.socket.destroy(),
  'breaks off in the middle': (_request, response) => {
    response.writeHead(200, { 'content-length': '100000' })
    response.write('{"name": "@vendor/cloud", "versions": {')
    setTimeout(() => response.destroy(), 10)
  },
  'answers what is no JSON': (_request, response) => response.end('<html>please log in</html>'),
}

for (const [what, how] of Object.entries(faults))
  test(`a registry that ${what} fails the plan by name, and what runs goes on`, async () => {
    fault = how
    await assert.rejects(
      site.market.plan({ action: 'install', source: `${vendorCloud}@1.1.0` }),
      /registry.*@vendor\/cloud/,
    )
    assert.equal(await site.market.answeredBy(), '1.0.0')
    fault = undefined
  })

test('a registry that hangs holds up neither the site nor another change', async () => {
  const { market } = site
  const asked = new Promise<void>((resolve) => {
    fault = () => resolve()
  })
  const hanging = market.plan({ action: 'install', source: `${vendorCloud}@1.1.0` })
  hanging.catch(() => {})
  await asked
  assert.equal(await market.answeredBy(), '1.0.0')
  await market.ready(await market.order())
  const settings = { limits: { callsInFlight: 9 } }
  await market.change({ action: 'configure', instance: 'vendor', settings })
  assert.equal(await market.answeredBy(), '1.0.0')
  between.closeAllConnections()
  fault = undefined
  await hanging.catch(() => {})
  await market.install('1.1.0')
  assert.equal(await market.answeredBy(), '1.1.0')
})

async function pass(path: string): Promise<Buffer> {
  const answer = await fetch(new URL(path, registry.url))
  return Buffer.from(await answer.arrayBuffer())
}
