/** A two-way channel for texts. The ways to isolate a plugin differ in this and in how they are started, and in nothing else. */
export interface Transport {
  /** Texts arrive whole and in order, or the channel closes. */
  send(text: string): void
  /** What arrives is whatever the other side sent: unknown until it was checked. */
  onMessage(listener: (message: unknown) => void): void
  /**
   * Called once, when nothing more can arrive.
   * @param listener - told the reason, and whether it is that the other side broke the rules of the channel
   */
  onClose(listener: (reason: string, broken?: boolean) => void): void
  close(): void
}
