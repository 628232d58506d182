import { StanzaError } from '../../xmpp/index.ts'

/** An exception of the original, as its translator gives it to the requester. */
export class JavaFault extends StanzaError {}
