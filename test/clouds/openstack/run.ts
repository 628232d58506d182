import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { startOpenStack } from './openstack.ts'

/**
 * Runs a cloud in the foreground until it is interrupted, for work on tests and plugins:
 * `node test/clouds/openstack/run.ts cloud.json`, and tests with `FOGBOW_TEST_OPENSTACK=cloud.json` use it.
 */
const [file] = process.argv.slice(2)
if (!file) throw new Error('name the file to which the place of the cloud is written')
const cloud = await startOpenStack()
const { image, publicNetwork, privateNetwork, router, authUrl, folder, tookMs } = cloud
const place = { image, publicNetwork, privateNetwork, router, authUrl, folder }
writeFileSync(file, JSON.stringify(place))
console.log(`${authUrl} is ready; logs are in ${folder}/log`, tookMs)
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
await cloud.stop()
