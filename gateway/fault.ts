/** A mistake in the installation, found while starting; not a Problem, since no caller sees it. @module */

/** Prints as `place: message`; the command line ends with code 2. */
export class ConfigFault extends Error {
  /** @param place a file, an address, or a key of the configuration. */
  constructor(place: string, message: string, options?: ErrorOptions) {
    super(`${place}: ${message}`, options)
    this.name = 'ConfigFault'
  }
}
