import { bundleSpec, runBody } from './hostile-plugin.ts'
import { rawTiers } from './raw-guest.ts'

/**
 * A site that was started with a file open as descriptor 40. Prints what a raw guest in a process reads from it, to be run by
 * a test in a process of its own.
 */
const script = `
  offer(['federationToLocalMapper.getToken'])
  receive(([type, id, method]) => {
    if (type !== 0 || method === 'load') return
    const bytes = Buffer.alloc(100)
    let text = 'nothing'
    try { const length = require('node:fs').readSync(40, bytes, 0, 100, 0); if (length > 0) text = bytes.toString('utf8', 0, length) } catch {}
    send(JSON.stringify([[1, id, { result: JSON.stringify(text) }]]))
  })`

const tier = (await rawTiers()).find(({ level }) => level !== 'worker')
await tier?.with(script, async (sandbox) => console.log(await runBody(sandbox)), {
  kinds: bundleSpec('').kinds,
})
