import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { styleText } from 'node:util'
import { CommandError, exitCodes, usage } from './exit.ts'

type Style = Parameters<typeof styleText>[0]

/** The three streams of the command: results go to `print`, everything else to `notice`. */
export interface Terminal {
  /** One result, on standard output. */
  print(text: string): void
  /** Progress, warnings and errors, on standard error. */
  notice(text: string): void
  /** Colours for `print`; plain text unless standard output is a terminal that wants them. */
  paint(style: Style, text: string): string
  /** The same for `notice`. */
  paintNotice(style: Style, text: string): string
  /** One line that is redrawn each second; nothing at all when standard error is not a terminal. */
  showProgress(line: () => string): { update(): void; end(): void }
  /** Can somebody be asked? */
  readonly interactive: boolean
  /** Asks a question; the answer to a secret one is not echoed. */
  ask(question: string, options?: { secret?: boolean }): Promise<string>
  /** All of standard input. */
  readInput(): Promise<string>
}

export interface TerminalStreams {
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  env: NodeJS.ProcessEnv
}

const CLEAR_LINE = '\r\x1b[2K'

export function createTerminal({ stdin, stdout, stderr, env }: TerminalStreams): Terminal {
  const painter = (stream: NodeJS.WriteStream) => {
    const colours = stream.isTTY && !env.NO_COLOR && env.TERM !== 'dumb'
    return (style: Style, text: string) =>
      colours ? styleText(style, text, { validateStream: false }) : text
  }
  return {
    print: (text) => void stdout.write(`${text}\n`),
    notice: (text) => void stderr.write(`${text}\n`),
    paint: painter(stdout),
    paintNotice: painter(stderr),
    interactive: Boolean(stdin.isTTY && stderr.isTTY),
    showProgress(line) {
      if (!stderr.isTTY) return { update() {}, end() {} }
      const update = () => stderr.write(CLEAR_LINE + line().slice(0, (stderr.columns || 80) - 1))
      const timer = setInterval(update, 1000)
      update()
      return {
        update,
        end() {
          clearInterval(timer)
          stderr.write(CLEAR_LINE)
        },
      }
    },
    ask: (question, options = {}) => ask(stdin, stderr, question, options.secret ?? false),
    async readInput() {
      let text = ''
      for await (const chunk of stdin.setEncoding('utf8')) text += chunk
      return text
    },
  }
}

async function ask(
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  question: string,
  secret: boolean,
): Promise<string> {
  // readline in terminal mode switches the terminal's own echo off and echoes to its output: here to nowhere.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input, output: secret ? silent : output, terminal: true })
  try {
    if (secret) output.write(question)
    return await new Promise((resolve, reject) => {
      lines.once('SIGINT', () => reject(new CommandError(exitCodes.interrupted, 'Interrupted')))
      lines.once('close', () => reject(usage('No answer was given')))
      lines.question(secret ? '' : question, resolve)
    })
  } finally {
    lines.close()
    if (secret) output.write('\n')
  }
}

/** Text of strangers, with everything taken out that a terminal would obey. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
}
