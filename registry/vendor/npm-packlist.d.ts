declare module 'npm-packlist' {
  interface PackageTree {
    path: string
    package: Record<string, unknown>
    isProjectRoot: true
    edgesOut: ReadonlyMap<string, never>
  }
  /** Paths that npm packs, with `/`. */
  export default function packlist(tree: PackageTree): Promise<string[]>
}
