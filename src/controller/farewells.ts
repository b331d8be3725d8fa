import type { ReviewEnvironment } from '../api/index.ts'
import type { Clock } from '../util/clock.ts'

interface Farewell {
  /** As it was last seen; the object itself may be gone by now. */
  environment: ReviewEnvironment
  since: number
  told: boolean
}

/** Most farewells kept; with more, the oldest is forgotten, and its comment stays as it was. */
const maxKept = 5_000

/**
 * Environments that are gone and of which people are still to be told. Their removal waits a little for that; after
 * that, telling goes on from memory.
 */
export class Farewells {
  readonly #clock: Clock
  readonly #byPlace = new Map<string, Farewell>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Begins to say that this environment is gone, or goes on; gives how long that has been, and whether it is done. */
  begin(place: string, environment: ReviewEnvironment): { told: boolean; milliseconds: number } {
    const known = this.#byPlace.get(place)
    const same = known?.environment.metadata.uid === environment.metadata.uid
    const farewell = known !== undefined && same ? known : { environment, since: this.#clock.now(), told: false }
    farewell.environment = environment
    this.#byPlace.set(place, farewell)
    const oldest = this.#byPlace.keys().next().value
    if (this.#byPlace.size > maxKept && oldest !== undefined) this.#byPlace.delete(oldest)
    return { told: farewell.told, milliseconds: this.#clock.now() - farewell.since }
  }

  /** The environment that people are to be told of as gone, unless one of the same name lives again. */
  get(place: string): ReviewEnvironment | undefined {
    return this.#byPlace.get(place)?.environment
  }

  /** Milliseconds since it began; 0 if it did not. */
  age(place: string): number {
    const farewell = this.#byPlace.get(place)
    return farewell === undefined ? 0 : this.#clock.now() - farewell.since
  }

  /** They know, or never will. */
  told(place: string): void {
    const farewell = this.#byPlace.get(place)
    if (farewell !== undefined) farewell.told = true
  }

  forget(place: string): void {
    this.#byPlace.delete(place)
  }
}
