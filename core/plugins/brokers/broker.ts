/** Reads the value behind a reference such as `env:NAME`; `key` says where it stands, for messages. */
export type SecretReader = (reference: string, key: string) => Promise<string>
