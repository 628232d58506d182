import type { PackageFiles } from './package-files.ts'

export const vendorCloud = '@vendor/cloud'

/** How a version differs from one that is as it should be. */
export interface VendorVersion {
  version: string
  name?: string
  /** Statements at the beginning of `create`. */
  atCreate?: string
  /** Statements of `health.check`; without them the plugin does not offer it. */
  check?: string
  /** Statements at the beginning of `getAllImages`, which every version is asked for when it is tried. */
  atImages?: string
  /** Statements at the beginning of `getImage(id)`. */
  atImage?: string
  /** Statements at the beginning of each request for a network. */
  atOrder?: string
  config?: object
  capabilities?: object
  readme?: string
  license?: string
  /** SDK range. */
  sdk?: string
  dependencies?: Record<string, string>
  /** Statements at the top of the file. */
  imports?: string
}

/**
 * A small cloud as a vendor would publish it: networks, which it keeps, and images. Every image is named after the version
 * that answers; that of `held` comes when somebody asked for
 * `release`. The cloud's state of a network names the version that made it.
 */
export function vendorVersion(of: VendorVersion): PackageFiles {
  const { version, name = vendorCloud, config, check } = of
  return {
    'package.json': JSON.stringify({
      name,
      version,
      description: 'A small cloud of a vendor: networks and images',
      license: of.license ?? 'MIT',
      type: 'module',
      keywords: ['fogbow-plugin'],
      dependencies: { '@fogbow/plugin-sdk': '^0.1.0', ...of.dependencies },
      fogbow: {
        sdk: of.sdk ?? '^0.1.0',
        kinds: ['network', 'image', ...(check === undefined ? [] : ['health'])],
        entry: './index.js',
        capabilities: { storage: true, ...of.capabilities },
        ...(config && { config }),
      },
    }),
    'index.js': source(of),
    'README.md': of.readme ?? `# ${name}\n\nNetworks and images of a small cloud.\n`,
    'CHANGELOG.md': `## ${version}\n\n- Better than before.\n`,
  }
}

function source({
  version,
  imports = '',
  atCreate = '',
  check,
  atImages = '',
  atImage = '',
  atOrder = '',
}: VendorVersion) {
  return `
import { definePlugin, FogbowError } from '@fogbow/plugin-sdk'
${imports}

const version = '${version}'

export default definePlugin({
  async create(host) {
    const { storage, config } = host
    ${atCreate}
    const image = {
      async getAllImages() {
        ${atImages}
        return [{ id: 'well', name: version }]
      },
      async getImage(id) {
        ${atImage}
        if (id === 'release') await storage.set('released', true)
        if (id === 'held')
          while ((await storage.get('released')) === undefined)
            await new Promise((resolve) => setTimeout(resolve, 100))
        return { id, name: version, size: 1, minDisk: 0, minRam: 0, status: 'active' }
      },
    }
    const network = {
      async requestInstance({ orderId }) {
        ${atOrder}
        await storage.set(orderId, version)
        return { instanceId: 'network-' + orderId }
      },
      async getInstance({ orderId }) {
        const madeBy = await storage.get(orderId)
        if (madeBy === undefined)
          throw new FogbowError('instance_not_found', 'no network of ' + orderId)
        return { state: 'READY', cloudState: 'made by ' + madeBy }
      },
      deleteInstance: ({ orderId }) => storage.delete(orderId),
    }
    ${check === undefined ? '' : `const health = { async check() { ${check} } }`}
    return { image, network${check === undefined ? '' : ', health'} }
  },
})
`
}
