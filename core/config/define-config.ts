import type { TypeOf } from '@fogbow/plugin-sdk'
import type { siteConfigSchema } from './schema.ts'

type Loose<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [Key in keyof T]?: Loose<T[Key]> }
    : T

type Written = TypeOf<typeof siteConfigSchema>

/** What a site's administrator writes: whatever has a default may be left out. */
export type WrittenConfig = Loose<Omit<Written, 'site' | 'aaa' | 'plugins' | 'clouds'>> & {
  site: Loose<Written['site']> & { id: string }
  aaa: Loose<Written['aaa']> & Omit<Written['aaa'], 'cacheSeconds' | 'sources'>
  plugins: Record<string, Loose<Written['plugins'][string]> & { package: string }>
  clouds: Record<string, Loose<Written['clouds'][string]> & { plugin: string; mapper: string }>
}

/** Gives an editor the types of `fogbow.config.ts`; checks nothing by itself. */
export function defineConfig(config: WrittenConfig): WrittenConfig {
  return config
}
