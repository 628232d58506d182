declare module 'spdx-expression-parse' {
  /** @throws Error when it is no SPDX licence expression */
  export default function parse(expression: string): unknown
}
