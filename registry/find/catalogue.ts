import { pluginKinds, schema, type TypeOf } from '@fogbow/plugin-sdk'
import { validatorFor } from '@fogbow/plugin-sdk/validate'
import type { SignedSource, SignedSources } from '../trust/signed-source.ts'

/** Type of the signed document: `{plugins: CatalogueEntry[]}`. */
export const catalogueType = 'fogbow-catalogue'

const text = (maxLength: number) => ({ type: 'string', maxLength }) as const
const name = { type: 'string', minLength: 1, maxLength: 214 } as const

const version = {
  type: 'object',
  required: ['version', 'sdk'],
  properties: {
    version: text(256),
    sdk: text(64),
    contracts: { type: 'object', additionalProperties: { type: 'integer' } },
    publishedAt: text(64),
    /** SHA-512 of its tarball. */
    integrity: text(128),
    /** Sigstore bundles, for sites whose mirror drops them. */
    attestations: { type: 'array', maxItems: 16, items: {} },
    vetting: {
      type: 'object',
      required: ['result'],
      properties: {
        result: { type: 'string', enum: ['passed', 'failed'] },
        by: text(255),
        at: text(64),
        report: text(2048),
      },
    },
  },
} as const

const advisory = {
  type: 'object',
  required: ['id', 'package', 'severity', 'title', 'range'],
  properties: {
    id: text(128),
    package: name,
    severity: { type: 'string', enum: ['low', 'moderate', 'high', 'critical'] },
    title: text(1024),
    url: text(2048),
    range: text(256),
  },
} as const

/** What a catalogue says of one package. Fields that this version does not know are left alone. */
export const catalogueEntrySchema = schema({
  type: 'object',
  required: ['name', 'description', 'kinds', 'versions'],
  properties: {
    name,
    description: text(1024),
    kinds: { type: 'array', maxItems: 64, items: { type: 'string', maxLength: 64 } },
    license: text(128),
    publisher: text(255),
    homepage: text(2048),
    readme: text(262_144),
    changelog: text(262_144),
    screenshots: {
      type: 'array',
      maxItems: 32,
      items: {
        type: 'object',
        required: ['url'],
        properties: { url: text(2048), caption: text(1024) },
      },
    },
    deprecated: {
      type: 'object',
      required: ['reason'],
      properties: { reason: text(1024), successor: text(214) },
    },
    /** Newest first. */
    versions: { type: 'array', minItems: 1, maxItems: 1024, items: version },
    advisories: { type: 'array', maxItems: 1024, items: advisory },
  },
})

export type CatalogueEntry = TypeOf<typeof catalogueEntrySchema>
export type CatalogueVersion = CatalogueEntry['versions'][number]

/** An entry of a catalogue, ready to be searched. */
export interface Listed {
  entry: CatalogueEntry
  /** Name of the catalogue. */
  source: string
  /** All that is searched, in lower case. */
  haystack: string
}

export interface Catalogues {
  list(): Promise<{ listed: readonly Listed[]; problems: { source: string; problem: string }[] }>
  find(packageName: string): Promise<Listed | undefined>
  /** Reads them again. */
  refresh(): Promise<{ source: string; problem: string }[]>
}

interface Read {
  sequence: number
  listed: Listed[]
  byName: Map<string, Listed>
}

export function createCatalogues(
  sources: () => readonly SignedSource[],
  documents: SignedSources,
): Catalogues {
  /** Made once per number of a document: entries are many, and searched often. */
  const known = new Map<string, Read>()

  async function read(source: SignedSource): Promise<Read | { problem: string }> {
    const { content, problem } = await documents.read(source)
    if (!content) return { problem: problem ?? 'it cannot be read' }
    const before = known.get(source.name)
    if (before?.sequence === content.sequence) return before
    const listed = toListed(content.plugins, source.name)
    const byName = new Map(listed.map((one) => [one.entry.name, one]))
    const made = { sequence: content.sequence, listed, byName }
    known.set(source.name, made)
    return made
  }

  async function readAll() {
    const all = sources()
    const readings = await Promise.all(all.map(read))
    return readings.map((reading, index) => ({ source: all[index]?.name ?? '', reading }))
  }

  return {
    async list() {
      const all = await readAll()
      return {
        listed: all.flatMap(({ reading }) => ('listed' in reading ? reading.listed : [])),
        problems: all.flatMap(({ source, reading }) =>
          'problem' in reading ? [{ source, problem: reading.problem }] : [],
        ),
      }
    },
    async find(packageName) {
      for (const { reading } of await readAll()) {
        const found = 'byName' in reading ? reading.byName.get(packageName) : undefined
        if (found) return found
      }
      return undefined
    },
    async refresh() {
      const all = sources()
      const readings = await Promise.all(all.map((source) => documents.refresh(source)))
      return readings.flatMap(({ problem }, index) =>
        problem === undefined ? [] : [{ source: all[index]?.name ?? '', problem }],
      )
    },
  }
}

/** An entry with a mistake is left out; the others serve. */
function toListed(plugins: unknown, source: string): Listed[] {
  const isEntry = validatorFor(catalogueEntrySchema)
  const entries = Array.isArray(plugins) ? plugins.filter((one) => !isEntry(one)) : []
  return (entries as CatalogueEntry[]).map((entry) => ({
    entry: { ...entry, kinds: entry.kinds.filter((kind) => pluginKinds.includes(kind)) },
    source,
    haystack:
      `${entry.name} ${entry.description} ${entry.kinds.join(' ')} ${entry.publisher ?? ''}`.toLowerCase(),
  }))
}
