/** Characters that a sender may be ahead of its receiver; the text that crosses the line is sent whole. */
const WINDOW = 524_288

export interface SendingWindow {
  /** Sends at once or, while the receiver is behind, later. Order is kept. */
  send(text: string): void
  /** The receiver has dealt with so many characters more. */
  confirm(characters: number): void
}

/** Holds back what its receiver has no time for, so that no sender can keep its receiver from all other work. */
export function createSendingWindow(post: (text: string) => void): SendingWindow {
  const held: string[] = []
  let ahead = 0

  function sendHeld(): void {
    while (ahead < WINDOW) {
      const text = held.shift()
      if (text === undefined) return
      postNow(text)
    }
  }

  function postNow(text: string): void {
    ahead += text.length
    post(text)
  }

  return {
    send(text) {
      if (ahead < WINDOW && held.length === 0) postNow(text)
      else held.push(text)
    },
    confirm(characters) {
      ahead -= characters
      sendHeld()
    },
  }
}

/**
 * The receiver's half: says how much was dealt with, in large portions and only when everything else that is due has had
 * its turn.
 * @returns what is to be called with the length of each text received; false when a sender that keeps to its half would
 * not have sent it yet
 */
export function createReceivingWindow(
  confirm: (characters: number) => void,
): (characters: number) => boolean {
  let received = 0
  let due = false
  return (characters) => {
    if (received >= WINDOW) return false
    received += characters
    if (due || received < WINDOW / 2) return true
    due = true
    setImmediate(() => {
      confirm(received)
      received = 0
      due = false
    })
    return true
  }
}
