/** What happened since the start of the process, for metrics. */
export interface XmppCounters {
  /** Times that the link came up. */
  links: number
  /** Times that a link that was up, or an attempt, ended. */
  linksLost: number
  requests: number
  /** Requests that ended without result, whatever the reason. */
  requestsFailed: number
  /** Answers that nobody waits for: late, repeated, or from somebody who was not asked. */
  unexpectedAnswers: number
  served: number
  /** Requests of peers that no service takes, or that are not built as requests have to be. */
  unknown: number
  malformed: number
  /** Stanzas thrown away because they are too large, too deep or too wide. */
  refused: number
  /** Requests of peers turned away because too many were waiting. */
  busy: number
  handlerErrors: number
  /** Answers that were ready while the link was down. */
  droppedAnswers: number
  /** Answers replaced by an error because they were too large to send. */
  oversizedAnswers: number
  /** Messages, presence and the like, which nothing here uses. */
  ignored: number
}

export function createCounters(): XmppCounters {
  return {
    links: 0,
    linksLost: 0,
    requests: 0,
    requestsFailed: 0,
    unexpectedAnswers: 0,
    served: 0,
    unknown: 0,
    malformed: 0,
    refused: 0,
    busy: 0,
    handlerErrors: 0,
    droppedAnswers: 0,
    oversizedAnswers: 0,
    ignored: 0,
  }
}
