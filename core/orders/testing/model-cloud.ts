import { FogbowError } from '@fogbow/plugin-sdk'
import type { CloudConnector } from '../cloud-connector.ts'
import type { Order } from '../order.ts'

export type Weather =
  /** Everything works. */
  | 'fine'
  /** Nothing is done and nobody answers. */
  | 'down'
  /** What is asked is done, but the answer is lost. */
  | 'deaf'
  /** What is asked is refused. */
  | 'refusing'

interface ModelInstance {
  id: string
  state: string
}

/** A cloud that does what the test says, and remembers every instance that it ever made. */
export class ModelCloud implements CloudConnector {
  weather: Weather = 'fine'
  /** Instances are ready, and gone, at once or only after so many looks. */
  looksUntilDone = 0
  readonly instances = new Map<string, ModelInstance>()
  readonly made: string[] = []
  calls = 0
  #looks = new Map<string, number>()

  async requestInstance(order: Order) {
    this.#before()
    let instance = this.instances.get(order.id)
    if (!instance) {
      if (this.weather === 'refusing') throw new FogbowError('quota_exceeded', 'no room')
      instance = { id: `vm-${this.made.length}`, state: 'CREATING' }
      this.made.push(order.id)
      this.instances.set(order.id, instance)
    }
    this.#after()
    return { instanceId: instance.id }
  }

  async getInstance(order: Order) {
    this.#before()
    this.#after()
    const instance = this.instances.get(order.id)
    if (!instance) throw new FogbowError('instance_not_found', `no instance of ${order.id}`)
    const looks = (this.#looks.get(order.id) ?? 0) + 1
    this.#looks.set(order.id, looks)
    if (instance.state === 'CREATING' && looks > this.looksUntilDone) instance.state = 'READY'
    if (instance.state === 'DELETING' && looks > this.looksUntilDone)
      this.instances.delete(order.id)
    return { state: instance.state, cloudState: instance.state.toLowerCase() }
  }

  async deleteInstance(order: Order) {
    this.#before()
    if (this.weather === 'refusing') throw new FogbowError('unacceptable_operation', 'in use')
    const instance = this.instances.get(order.id)
    if (instance && this.looksUntilDone > 0 && instance.state !== 'DELETING') {
      instance.state = 'DELETING'
      this.#looks.set(order.id, 0)
    } else if (this.looksUntilDone === 0) this.instances.delete(order.id)
    this.#after()
  }

  async act(order: Order, method: string) {
    this.#before()
    if (this.weather === 'refusing') throw new FogbowError('unacceptable_operation', 'not now')
    const goals: Record<string, string> = {
      pauseInstance: 'PAUSED',
      hibernateInstance: 'HIBERNATED',
      stopInstance: 'STOPPED',
      resumeInstance: 'READY',
    }
    const instance = this.instances.get(order.id)
    if (instance && instance.state !== 'DELETING') instance.state = goals[method] ?? instance.state
    this.#after()
  }

  #before(): void {
    this.calls += 1
    if (this.weather === 'down') throw new FogbowError('unavailable_provider', 'the cloud is down')
  }

  #after(): void {
    if (this.weather === 'deaf') throw new FogbowError('timeout', 'the answer was lost')
  }
}
