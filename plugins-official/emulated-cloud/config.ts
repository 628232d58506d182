/** What an instance of the cloud can be booted from. */
export interface ImageConfig {
  id: string
  name: string
  /** Bytes. */
  size?: number
  /** GiB. */
  minDisk?: number
  /** MiB. */
  minRam?: number
}

export interface Flavor {
  id: string
  name: string
  vCPU: number
  /** MiB. */
  ram: number
  /** GiB. */
  disk: number
  requirements?: Record<string, string>
}

/** -1 is unlimited. */
export interface Amounts {
  instances: number
  vCPU: number
  ram: number
  storage: number
  volumes: number
  networks: number
  publicIps: number
}

/** How often a method fails in which way, 0 to 1 each. */
export interface FailureRates {
  unavailableBefore?: number
  unavailableAfter?: number
  hangBefore?: number
  hangAfter?: number
  failInstance?: number
}

export interface CloudConfig {
  quota: Amounts
  images: readonly ImageConfig[]
  specs: readonly Flavor[]
  defaultNetwork: { id: string; name: string; cidr: string }
  publicCidr: string
  delaysMs: { create: number; delete: number; action: number; call: number }
  failureRates: Readonly<Record<string, FailureRates>>
  seed?: number
}

/** What an administrator writes: whatever is left out has the default. */
export type CloudSettings = {
  [Key in keyof CloudConfig]?: CloudConfig[Key] extends readonly unknown[] | string | number
    ? CloudConfig[Key]
    : Partial<CloudConfig[Key]>
}

const GIB = 1024 ** 3

/** The same values as in the schema of the manifest. */
export const defaultConfig: CloudConfig = {
  quota: {
    instances: 100,
    vCPU: 400,
    ram: 1_638_400,
    storage: 50_000,
    volumes: 200,
    networks: 100,
    publicIps: 100,
  },
  images: [
    { id: 'debian-12', name: 'Debian 12', size: GIB, minDisk: 3, minRam: 512 },
    { id: 'ubuntu-24.04', name: 'Ubuntu 24.04', size: 2 * GIB, minDisk: 5, minRam: 1024 },
    { id: 'tiny', name: 'Tiny', size: 16 * 1024 ** 2, minDisk: 0, minRam: 64 },
  ],
  specs: [
    { id: 'tiny', name: 'tiny', vCPU: 1, ram: 512, disk: 3 },
    { id: 'small', name: 'small', vCPU: 1, ram: 2048, disk: 20 },
    { id: 'medium', name: 'medium', vCPU: 2, ram: 4096, disk: 40 },
    { id: 'large', name: 'large', vCPU: 4, ram: 8192, disk: 80 },
    { id: 'xlarge', name: 'xlarge', vCPU: 8, ram: 16_384, disk: 160 },
    { id: 'gpu', name: 'gpu', vCPU: 8, ram: 32_768, disk: 160, requirements: { gpu: '1' } },
  ],
  defaultNetwork: { id: 'default', name: 'default', cidr: '10.0.0.0/12' },
  publicCidr: '198.18.0.0/15',
  delaysMs: { create: 0, delete: 0, action: 0, call: 0 },
  failureRates: {},
}

export function withDefaults(settings: CloudSettings): CloudConfig {
  return {
    ...defaultConfig,
    ...settings,
    quota: { ...defaultConfig.quota, ...settings.quota },
    defaultNetwork: { ...defaultConfig.defaultNetwork, ...settings.defaultNetwork },
    delaysMs: { ...defaultConfig.delaysMs, ...settings.delaysMs },
    failureRates: { ...settings.failureRates } as CloudConfig['failureRates'],
  }
}
