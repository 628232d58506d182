import type { TestContext } from 'node:test'
import pino from 'pino'
import { createHttpEdge, type HttpEdgeDependencies } from '../edge.ts'
import { defaultHttpConfig, type HttpConfig } from '../http-config.ts'
import { createRecordingOperations, type RecordingOperations } from './recording-operations.ts'

export interface TestEdge extends RecordingOperations {
  url: string
  logLines: Record<string, unknown>[]
  /** Moves the injected clock. */
  advance(ms: number): void
  fetch(path: string, init?: RequestInit): Promise<Response>
  /** POST of a JSON text, with a token. */
  post(path: string, body: string, headers?: Record<string, string>): Promise<Response>
  close(): Promise<void>
}

type Options = Partial<HttpConfig> & Partial<Pick<HttpEdgeDependencies, 'isReady' | 'metrics'>>

/** A listening edge over recording operations; closed when the test ends. */
export async function startTestEdge(test: TestContext, options: Options = {}): Promise<TestEdge> {
  const { isReady, metrics, ...config } = options
  const recording = createRecordingOperations()
  const logLines: Record<string, unknown>[] = []
  let now = 1_900_000_000_000
  const edge = createHttpEdge({
    operations: recording.operations,
    config: { ...defaultHttpConfig, ...config },
    log: pino({ level: 'debug' }, { write: (line: string) => logLines.push(JSON.parse(line)) }),
    clock: { now: () => now },
    isReady: isReady ?? (() => ({ ready: true, reasons: [] })),
    ...(metrics && { metrics }),
  })
  recording.calls.length = 0
  const { url } = await edge.listen(0, '127.0.0.1')
  test.after(() => edge.close())
  const send = (path: string, init?: RequestInit) => fetch(url + path, init)
  return {
    ...recording,
    url,
    logLines,
    advance: (ms) => {
      now += ms
    },
    fetch: send,
    post: (path, body, headers) =>
      send(path, {
        method: 'POST',
        body,
        headers: {
          'Content-Type': 'application/json',
          'Fogbow-User-Token': 'secret-token',
          ...headers,
        },
      }),
    close: edge.close,
  }
}
