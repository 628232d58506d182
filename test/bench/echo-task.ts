/** Task of a thread in the pool of `piscinaEcho`. */
export default function echo(payload: unknown): unknown {
  return payload
}
